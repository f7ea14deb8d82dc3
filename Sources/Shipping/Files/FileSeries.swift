import Checkpoints
import Glibc
import Platform
import Spool

/// The files that an output writes, one after the other: which one it is now, and when the next one's turn comes.
///
/// Any call may fail, and is then made again until it works; the state is what has been achieved.
struct FileSeries {
  enum State {
    /// None is open: the one before was closed, and the next one couldn't be opened yet.
    case closed(Predecessor)
    /// One is open, and lacks what every file begins with.
    case opened(CurrentFile)
    /// Entries are added to one; with so many bytes it has none yet.
    case growing(CurrentFile, emptyByteCount: Int)
  }

  /// The file that was closed last.
  struct Predecessor {
    let path: String
    /// Who may read and write it; the next one gets the same.
    var attributes: FileAttributes?
    /// How we left it; if it is still so, it needs no repair.
    var left: (identity: FileIdentity, byteCount: Int)?
    /// Where it ended.
    var place: OutputPlace?
  }

  let options: FileOptions
  let system: SystemCalls
  let warn: @Sendable (String) -> Void
  let schedule: RotationSchedule?
  /// Where it is noted what is about to be written; nil if there is no checkpoint.
  var journal: OutputJournal?
  /// The files that there were, and how they are called.
  var catalog: FileCatalog
  var state: State

  /// Whether the files of former runs have been looked at.
  var hasLookedBack = false
  /// Whether a new file gets its name only when it says whose it is.
  var namesLater = true
  var attributes = Trouble<FailedOperation>()
  var directory = Trouble<FailedOperation>()

  init(
    _ options: FileOptions, path: String, schedule: RotationSchedule?, system: SystemCalls,
    warn: @escaping @Sendable (String) -> Void
  ) {
    self.options = options
    self.system = system
    self.warn = warn
    self.schedule =
      schedule ?? options.rotateEverySeconds.map { RotationSchedule(periodSeconds: $0) }
    catalog = FileCatalog(options, path: path, system: system, warn: warn)
    state = .closed(Predecessor(path: path))
  }

  var naming: FileNaming { catalog.naming }

  /// The file that is open.
  var current: CurrentFile? {
    switch state {
    case .closed: nil
    case .opened(let file), .growing(let file, _): file
    }
  }

  /// The path of the file that is open, or of the one before.
  var path: String {
    switch state {
    case .closed(let predecessor): predecessor.path
    case .opened(let file), .growing(let file, _): file.file.path
    }
  }

  /// What isn't among the files that there were.
  var present: FileCatalog.Current { FileCatalog.Current(path: path, identity: current?.file.identity) }

  /// The size of the file.
  var byteCount: Int { current?.file.byteCount ?? 0 }

  /// Where what has been written ends; nil in a file that lacks what every file begins with, which isn't written yet.
  var place: OutputPlace? {
    switch state {
    case .closed(let predecessor): predecessor.place
    case .opened(let file): file.file.byteCount > 0 ? file.place : nil
    case .growing(let file, _): file.place
    }
  }

  /// The size of the file as long as it has no entries.
  private var emptyByteCount: Int {
    if case .growing(_, let byteCount) = state { byteCount } else { 0 }
  }

  /// Whether nothing was added to the file yet.
  var isEmpty: Bool { byteCount <= emptyByteCount }

  /// Changes what is known of the file that is open.
  mutating func update(_ change: (inout CurrentFile) -> Void) {
    switch state {
    case .closed: break
    case .opened(var file):
      change(&file)
      state = .opened(file)
    case .growing(var file, let emptyByteCount):
      change(&file)
      state = .growing(file, emptyByteCount: emptyByteCount)
    }
  }

  // MARK: Turns

  /// Whether the file belongs to a period before the present one.
  func isPeriodOver(_ now: Moment) -> Bool {
    guard let schedule, let current else { return false }
    return schedule.period(at: now.wallSeconds) != current.period
  }

  /// Whether the file is to be put away.
  func isDue(at now: Moment) -> Bool {
    guard let current else { return false }
    return current.file.byteCount >= current.turn.byteCount
      || (isPeriodOver(now) && now.steadyNanoseconds >= current.turn.retryNanoseconds)
  }

  /// How many bytes the file may still get.
  var room: Int {
    guard let current else { return 0 }
    return current.turn.byteCount - current.file.byteCount
  }

  /// In how many nanoseconds the next one's turn may come; nil if not by the clock.
  func wait(at now: Moment) -> Int64? {
    guard let schedule else { return nil }
    let seconds = schedule.nextLook(after: now.wallSeconds) - now.wallSeconds
    let wait = max(seconds * 1_000_000_000, 0)
    guard isPeriodOver(now), let current else { return wait }
    return min(wait, current.turn.retryNanoseconds - now.steadyNanoseconds)
  }

  /// Whether the file is to be let go of, as another process may have moved it.
  var isToBeLetGo: Bool {
    if case .letGo? = current?.turn { true } else { false }
  }

  /// Has the file be let go of.
  mutating func requestLettingGo() { update { $0.turn = .letGo } }

  // MARK: Beginning

  /// Gives a new file what every file begins with, and makes sure that one that isn't new can be continued.
  ///
  /// Does nothing as long as it isn't known what a file of records begins with. A compressed file gets a member
  /// even without: one of no bytes is not valid, a member of none is.
  /// - Returns: whether the file has been begun just now.
  mutating func begin(_ encoder: Encoder) throws(SystemError) -> Bool {
    guard case .opened(let current) = state, let header = options.content.header else { return false }
    if current.file.byteCount > 0 {
      try checkKind(current.file)
      let isEmpty = header.isEmpty && isEmptyMember(current.file)
      state = .growing(current, emptyByteCount: isEmpty ? current.file.byteCount : 0)
    } else {
      try encoder.write(header: header, to: current.file)
      FaultPoint.rotationBegun.pass()
      state = .growing(current, emptyByteCount: current.file.byteCount)
    }
    noteBeginning()
    return true
  }

  /// Notes in which file the output goes on, before anything is written to it.
  func noteBeginning() {
    guard let journal, case .growing(let current, _) = state else { return }
    journal.willBegin(current.place)
    FaultPoint.rotationPlaceNoted.pass()
  }

  /// Notes which entries are about to be written, and how long the file will be then.
  func noteWrite(through sequence: Int, byteCount: Int) {
    guard let journal, var place = current?.place else { return }
    place.byteCount += byteCount
    journal.willWrite(through: sequence, upTo: place)
    FaultPoint.writeNoted.pass()
  }

  /// Makes sure that records are not added to those of another layout.
  private func checkKind(_ file: EntryFile) throws(SystemError) {
    guard let binary = options.content.binary, let present = binary.current else { return }
    if let found = binary.format.kind(ofFile: file.path), found.goes(with: present) { return }
    throw SystemError(
      operation: "append", path: file.path, problem: "it holds something other than records of this log")
  }

  /// Gives a file that another process has emptied what every file begins with.
  ///
  /// - Returns: whether that was so.
  mutating func renewBeginning(_ encoder: Encoder) throws(SystemError) -> Bool {
    guard case .growing(let current, let emptyByteCount) = state,
      emptyByteCount > 0 || options.content.binary != nil, current.file.wasEmptied()
    else { return false }
    state = .opened(current)
    return try begin(encoder)
  }

  // MARK: Closing

  /// Closes the file; even if this throws, it is closed then.
  mutating func close() throws(SystemError) {
    guard let current else { return }
    let file = current.file
    let status = try? system.status(file.descriptor)
    state = .closed(
      Predecessor(
        path: file.path, attributes: status.map { FileAttributes($0) } ?? current.inherited,
        left: file.isTorn ? nil : (file.identity, file.byteCount), place: current.place))
    try file.close()
  }

  /// Lets go of the file if another process has deleted it, so that the next one is begun in its place.
  ///
  /// What was in it before this write is their loss.
  /// - Returns: whether that was so.
  mutating func dropDeleted() -> Bool {
    guard let current, current.file.isDeleted() else { return false }
    warn("\(path): was deleted; what was in it is gone, and a new file is begun")
    try? close()
    if case .closed(var predecessor) = state {
      (predecessor.left, predecessor.place) = (nil, nil)
      state = .closed(predecessor)
    }
    return true
  }

  /// Goes where the name leads by now, should it be a link that was replaced; no file is open.
  /// - Returns: whether it leads elsewhere.
  mutating func followLink() -> Bool {
    guard !options.expandsName, case .file(let path)? = try? FilePlace.find(options.path, system),
      path != naming.template, case .closed(var predecessor) = state
    else { return false }
    catalog = FileCatalog(options, path: path, system: system, warn: warn)
    predecessor.attributes = nil
    state = .closed(predecessor)
    hasLookedBack = false
    namesLater = true
    return true
  }
}
