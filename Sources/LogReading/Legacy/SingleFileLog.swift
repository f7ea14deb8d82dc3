import CShims
import Glibc
import Platform
import SharedMemory
import VarnishLog

/// The log of a server before 5.2, followed through all changes of its file (`shm-layout.md` 2 to 4,
/// `design-notes.md`).
///
/// The file is known by name. If its device or inode changes, it is another file, and is opened anew. As long
/// as it is the same file, its head says whether the list of sections has changed, whether the server has let
/// go of it, and which processes write it.
struct SingleFileLog: ~Copyable {
  /// The file and the section that the log is in; another location is another log.
  struct Location: Equatable {
    let file: FileIdentity
    let section: SingleFile.Section
    /// How often the same file was begun anew.
    let life: Int
  }

  /// Why there is no log.
  enum Absence: Equatable {
    case noFile
    /// The server makes the file, or changes the list of sections.
    case unfinished
    case abandoned
    case noSection
  }

  /// The log, if there is one.
  private(set) var location: Location?
  /// Why there is none.
  private(set) var absence = Absence.noFile
  /// How often a file that has stayed the same was found to be written by another process than before.
  private(set) var restarts = 0
  /// The name, in its directory, of the file that was looked at last.
  private(set) var name = SingleFileLog.names[0]

  private var opened: Opened?
  private var writers = Writers()
  private var life = 0
  private var age = Age()
  /// Whether a file that its server has let go of is read as well, to look at the log after the server's end.
  private let readsAbandoned: Bool

  /// Newest first.
  static let names = ["_.vsm", "_.vsl"]

  init(readsAbandoned: Bool) { self.readsAbandoned = readsAbandoned }

  /// A file, and all of it in memory.
  private struct Opened: ~Copyable {
    let file: ReadOnlyFile
    let state: FileState
    let memory: SingleFile
  }

  /// The processes that a file names or has named: one that has ended in an orderly way counts until there is
  /// another.
  private struct Writers: Equatable {
    var birth: Int64?
    var master: Int32 = 0
    var child: Int32 = 0
  }

  /// The file's age as the manager counts it, and when the count last changed.
  private struct Age {
    var seconds: UInt64 = 0
    var changedNanoseconds: Int64 = .min
    /// Whether the manager was seen to count, so that it means something if it stops.
    var hasGrown = false

    /// How long the age may stay the same: as long as a manager is there, it counts each second.
    static let patienceNanoseconds: Int64 = 2_000_000_000
  }

  // MARK: Looking

  /// Looks for the file in an instance's directory, and at what is in it.
  ///
  /// - Throws: `LogError` if there is one that can't be read, or that is no log.
  mutating func refresh(in directory: borrowing ReadOnlyFile, at now: Int64) throws(LogError) {
    do throws(LogError) {
      guard let (found, state) = try Self.find(in: directory) else { return lookWithoutName(at: now) }
      name = found
      if isOther(state) {
        close()
        try open(
          LogError.wrapping { () throws(SystemError) in try ReadOnlyFile(regular: found, in: directory) })
      }
    } catch {
      close()
      // The file was removed between the two calls: that is no fault.
      if case .system(let cause) = error, cause.code == ENOENT { return }
      throw error
    }
    try look(at: now)
  }

  /// Looks at a file that was named itself, once: it stays the log even if it is abandoned or replaced.
  mutating func refresh(path: String, at now: Int64) throws(LogError) {
    if location != nil { return }
    close()
    let file = try LogError.wrapping { () throws(SystemError) in
      guard try FileState.of(path: path).get().isRegularFile else {
        throw SystemError(operation: "open", path: path, problem: "it is no regular file")
      }
      return try ReadOnlyFile(path: path)
    }
    try open(file)
    try look(at: now)
  }

  private static func find(
    in directory: borrowing ReadOnlyFile
  ) throws(LogError) -> (name: String, state: FileState)? {
    for name in names {
      do {
        if let state = try directory.state(of: name) { return (name, state) }
      } catch {
        throw .system(error)
      }
    }
    return nil
  }

  /// Which file is there now, whether it has a log or not.
  static func identity(in directory: borrowing ReadOnlyFile) -> FileIdentity? {
    (try? find(in: directory))?.state.identity
  }

  /// Whether the name leads to another file, or to one that was cut.
  private func isOther(_ state: FileState) -> Bool {
    switch opened {
    case .some(let opened):
      state.identity != opened.state.identity || state.byteCount < opened.memory.byteCount
    case nil: true
    }
  }

  private mutating func open(_ file: consuming ReadOnlyFile) throws(LogError) {
    let state: FileState
    let mapping: ReadOnlyMapping
    do throws(SystemError) {
      state = try file.state()
      // One that has just been made is empty.
      guard state.byteCount > 0 else {
        absence = .unfinished
        return
      }
      mapping = try ReadOnlyMapping(file, byteCount: state.byteCount)
    } catch {
      throw .system(error)
    }
    guard let memory = try SingleFile(mapping, path: file.path) else {
      absence = .unfinished
      return
    }
    writers = Writers()
    age = Age()
    opened = Opened(file: file, state: state, memory: memory)
  }

  /// Lets go of the file.
  mutating func close() {
    opened = nil
    location = nil
    absence = .noFile
  }

  /// Looks at a file whose name is gone: as long as it is written, it stays the log until there is another one.
  private mutating func lookWithoutName(at now: Int64) {
    guard location != nil else { return close() }
    try? look(at: now)
    if !isWritten(at: now) { close() }
  }

  // MARK: What is in the file

  /// What a file says at one moment.
  private struct Facts {
    let file: FileIdentity
    let search: SingleFile.Search
    let isAbandoned: Bool
    let age: UInt64?
    let birth: Int64?
    let master: Int32?
    let child: Int32?
    let path: String

    init(_ opened: borrowing Opened) {
      file = opened.state.identity
      isAbandoned = opened.memory.isAbandoned
      search = opened.memory.findLog()
      age = opened.memory.age
      birth = opened.memory.birth
      master = opened.memory.master
      child = opened.memory.child
      path = opened.file.path
    }
  }

  private var facts: Facts? {
    switch opened {
    case .some(let opened): Facts(opened)
    case nil: nil
    }
  }

  private mutating func look(at now: Int64) throws(LogError) {
    guard let facts else {
      location = nil
      return
    }
    note(facts, at: now)
    if facts.isAbandoned, !readsAbandoned {
      location = nil
      absence = .abandoned
      return
    }
    switch facts.search {
    case .found(let section): location = Location(file: facts.file, section: section, life: life)
    case .absent:
      location = nil
      absence = .noSection
    case .changing:
      // The log that was there before the change counts until it is known to have gone.
      absence = .unfinished
    case .damaged(let offset, let problem):
      location = nil
      absence = .noSection
      throw .damaged(path: facts.path, offset: offset, problem: problem)
    }
  }

  /// Notes which processes write the file, and how old it is.
  private mutating func note(_ facts: Facts, at now: Int64) {
    let former = writers
    writers.birth = facts.birth
    if let master = facts.master, master != 0 { writers.master = master }
    if let child = facts.child, child != 0 { writers.child = child }
    if former != Writers(), writers != former { restarts += 1 }
    guard let seconds = facts.age, seconds != age.seconds || age.changedNanoseconds == .min else { return }
    // A file that grows younger has been begun anew.
    if seconds < age.seconds { life += 1 }
    age.hasGrown = age.hasGrown || age.changedNanoseconds != .min
    (age.seconds, age.changedNanoseconds) = (seconds, now)
  }

  /// Whether the process that writes the file runs, as far as that can be told.
  func life(at now: Int64) -> WriterLife {
    guard let facts else { return .unknown }
    if facts.age != nil {
      guard age.hasGrown else { return .unknown }
      return now - age.changedNanoseconds <= Age.patienceNanoseconds
        ? .runs : .ended("its varnishd doesn't count its age any more, so it has ended or hangs")
    }
    guard let master = facts.master, master > 0, let birth = facts.birth else { return .unknown }
    return ProcessStart.mayOwn(master, logOf: birth) ? .runs : .ended(WriterLife.words(for: master))
  }

  /// Whether there is a process that writes the file, as far as it tells.
  private func isWritten(at now: Int64) -> Bool {
    guard let facts else { return false }
    if facts.age != nil {
      return !facts.isAbandoned && now - age.changedNanoseconds <= Age.patienceNanoseconds
    }
    guard let master = facts.master, let birth = facts.birth else { return false }
    return ProcessStart.mayOwn(master, logOf: birth)
  }

  /// Whether a server has left a file there that isn't abandoned.
  var hasManager: Bool {
    switch opened {
    case .some(let opened): readsAbandoned || !opened.memory.isAbandoned
    case nil: false
    }
  }

  /// Why there is no log in the file of this name; nil if there is no file.
  func missingLog(of path: String) -> String? {
    switch absence {
    case .noFile: nil
    case .unfinished: "\(path): its server is changing it, or hasn't finished making it"
    case .abandoned: "\(path): its varnishd has ended and let go of it"
    case .noSection: "\(path) has no log"
    }
  }

  /// The number of the manager's process, if the file tells it and that process doesn't run.
  var deadManager: Int32? {
    guard let facts, let master = facts.master, let birth = facts.birth else { return nil }
    return ProcessStart.mayOwn(master, logOf: birth) ? nil : master
  }

  /// Which log it is: the file, and what tells it from one that had the same inode before.
  private static func incarnation(_ opened: borrowing Opened) -> LogIncarnation {
    // A process number wouldn't do: an orderly end removes it, and the log is still the same one.
    let birth = opened.memory.birth ?? shim_file_birth(opened.file.descriptor)
    return LogIncarnation(opened.state.identity, writer: LogIncarnation.Writer(pid: 0, birth: birth))
  }

  // MARK: Reading

  /// Reads all counters; nil if there is no file, or one that its server has let go of.
  func sampleCounters() -> CounterSample? {
    switch opened {
    case .some(let opened):
      if opened.memory.isAbandoned, !readsAbandoned { return nil }
      let file = opened.state.identity
      let writer = "\(opened.memory.birth ?? 0) \(opened.memory.child ?? 0)"
      return opened.memory.sampleCounters(life: "\(file.device):\(file.inode) \(life) \(writer)")
    case nil: return nil
    }
  }

  /// Maps the log a second time, for its reader.
  ///
  /// - Returns: nil if the server hasn't finished making it.
  /// - Throws: `LogError` if it can't be mapped or is no log.
  func attach(start: LogStart, stopsAtTail: Bool) throws(LogError) -> LiveRing? {
    guard let location else { return nil }
    switch opened {
    case .some(let opened):
      let mapping: ReadOnlyMapping
      do throws(SystemError) {
        mapping = try ReadOnlyMapping(opened.file, byteCount: opened.memory.byteCount)
      } catch {
        throw .system(error)
      }
      guard let memory = try SingleFile(mapping, path: opened.file.path) else { return nil }
      return try memory.open(
        location.section, incarnation: Self.incarnation(opened), start: start, stopsAtTail: stopsAtTail)
    case nil: return nil
    }
  }

  /// Which log it is now; another process may write it than when it was attached to.
  var incarnation: LogIncarnation? {
    switch opened {
    case .some(let opened): Self.incarnation(opened)
    case nil: nil
    }
  }
}
