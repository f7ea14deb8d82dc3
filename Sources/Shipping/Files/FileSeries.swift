import Checkpoints
import Glibc
import Platform
import Spool

/// The files that an output writes, one after the other: which file is current, and when the next one is due.
///
/// Any call may fail, and is then made again until it works; the state is what has been achieved.
struct FileSeries {
  enum State {
    /// No file is open: the last one was closed, and the next one couldn't be opened yet.
    case closed(Predecessor)
    /// A file is open, without its header.
    case opened(CurrentFile)
    /// Entries are added to a file; at the given size it has none yet.
    case growing(CurrentFile, emptyByteCount: Int)
  }

  /// The file that was closed last.
  struct Predecessor {
    let path: String
    /// The file's permissions and owner, which the next file gets as well.
    var attributes: FileAttributes?
    /// How we left the file; if it is still like this, it needs no repair.
    var left: (identity: FileIdentity, byteCount: Int)?
    /// Where the file ended.
    var place: OutputPlace?
  }

  let options: FileOptions
  let system: SystemCalls
  let warn: @Sendable (String) -> Void
  let schedule: RotationSchedule?
  /// Where imminent writes are noted; nil if there is no checkpoint.
  var journal: OutputJournal?
  /// The files before the current one, and their names.
  var catalog: FileCatalog
  var state: State

  /// Whether the files of former runs have been looked at.
  var hasLookedBack = false
  /// Whether a new file gets its name only after its mark.
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

  /// The current file, which is to be left out when the catalog's files are looked at.
  var present: FileCatalog.Current { FileCatalog.Current(path: path, identity: current?.file.identity) }

  /// The size of the file.
  var byteCount: Int { current?.file.byteCount ?? 0 }

  /// Where the written entries end; nil in a file whose header isn't written yet.
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

  /// Whether the file has no entries yet.
  var isEmpty: Bool { byteCount <= emptyByteCount }

  /// Changes the state of the open file.
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

  /// In how many nanoseconds the next file may be due; nil if not by the clock.
  func wait(at now: Moment) -> Int64? {
    guard let schedule else { return nil }
    let seconds = schedule.nextLook(after: now.wallSeconds) - now.wallSeconds
    let wait = max(seconds * 1_000_000_000, 0)
    guard isPeriodOver(now), let current else { return wait }
    return min(wait, current.turn.retryNanoseconds - now.steadyNanoseconds)
  }

  /// Whether the file is to be closed, as another process may have moved it.
  var isToBeLetGo: Bool {
    if case .letGo? = current?.turn { true } else { false }
  }

  /// Requests that the file be closed.
  mutating func requestLettingGo() { update { $0.turn = .letGo } }

  // MARK: Beginning

  /// Writes the header of a new file, and makes sure that an existing file can be continued.
  ///
  /// Does nothing as long as the header of a file of records isn't known. A compressed file gets a member
  /// even without a header: a file of no bytes is not valid, a file with an empty member is.
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

  /// Makes sure that records are not added to a file of records of another layout.
  private func checkKind(_ file: EntryFile) throws(SystemError) {
    guard let binary = options.content.binary, let present = binary.current else { return }
    if let found = binary.format.kind(ofFile: file.path), found.goes(with: present) { return }
    throw SystemError(
      operation: "append", path: file.path, problem: "it holds something other than records of this log")
  }

  /// Writes the header again to a file that another process has emptied.
  ///
  /// - Returns: whether the file was empty.
  mutating func renewBeginning(_ encoder: Encoder) throws(SystemError) -> Bool {
    guard case .growing(let current, let emptyByteCount) = state,
      emptyByteCount > 0 || options.content.binary != nil, current.file.wasEmptied()
    else { return false }
    state = .opened(current)
    return try begin(encoder)
  }

  // MARK: Closing

  /// Closes the file; it is closed even if this throws.
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

  /// Closes the file if another process has deleted it, so that the next file is begun in its place.
  ///
  /// Entries that were in it before this write are that process's loss.
  /// - Returns: whether the file was deleted.
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

  /// Updates the path if a link was replaced and leads to another file now; no file may be open.
  /// - Returns: whether it does.
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
