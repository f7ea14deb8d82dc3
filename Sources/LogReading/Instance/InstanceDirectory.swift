import Platform
import SharedMemory
import VarnishLog

/// The directory of an instance: where a server has its shared memory, in two directories of segments or, before 5.2,
/// in one file (`shm-layout.md` 1).
///
/// The directories count before the file: a newer server leaves the file of an older one where it is. So a
/// file that was beside them isn't taken for a log when they are removed, for they come and go with each
/// restart of a server.
struct InstanceDirectory: ~Copyable {
  /// The directory's name.
  let path: String
  private let directory: ReadOnlyFile
  private let identity: FileIdentity
  private var indexed: IndexedLog
  private var single: SingleFileLog
  private var counters = IndexedCounters()
  /// The file that was beside the directories when they were seen last.
  private var outdated: FileIdentity?
  private var isIndexed = false

  /// Opens an instance's directory.
  ///
  /// - Parameter readsAbandoned: whether a log that its server has abandoned is read as well.
  /// - Throws: `SystemError` if it can't be opened or is no directory.
  init(path: String, readsAbandoned: Bool) throws(SystemError) {
    let directory = try ReadOnlyFile(directory: path)
    identity = try directory.state().identity
    self.path = path
    self.directory = directory
    indexed = IndexedLog()
    single = SingleFileLog(readsAbandoned: readsAbandoned)
  }

  /// Looks at the directory anew: three or four system calls if nothing has changed.
  ///
  /// - Parameter now: nanoseconds on a clock that is never set.
  /// - Returns: false if the directory itself was removed or replaced and must be opened again by name.
  /// - Throws: `LogError` if there is something in it that can't be read, or that is no log.
  mutating func refresh(at now: Int64) throws(LogError) -> Bool {
    guard case .success(let state) = FileState.of(path: path), state.identity == identity else {
      return false
    }
    do throws(SystemError) {
      try indexed.refresh(in: directory)
    } catch {
      throw .system(error)
    }
    if indexed.isThere {
      single.close()
      isIndexed = true
      return true
    }
    if isIndexed {
      isIndexed = false
      outdated = SingleFileLog.identity(in: directory)
    }
    if let outdated {
      guard SingleFileLog.identity(in: directory) != outdated else { return true }
      self.outdated = nil
    }
    try single.refresh(in: directory, at: now)
    return true
  }

  /// Whether a manager has published itself here.
  var hasManager: Bool { indexed.hasManager || single.hasManager }

  /// The manager's process ID if this process has ended, as in a copy of the directory; nil otherwise.
  var deadManager: Int32? { indexed.hasManager ? indexed.deadManager : single.deadManager }

  /// Whether the server runs.
  func writerLife(at now: Int64) -> WriterLife {
    indexed.hasManager ? indexed.writerLife : single.life(at: now)
  }

  /// How often a log that has stayed the same was found to be written by another process than before.
  var restarts: Int { single.restarts }

  /// Why there is no log, as far as the files tell; nil if there are no files of a server.
  var missingLog: String? {
    if indexed.hasManager { return indexed.missingLog(in: path) }
    return single.missingLog(of: path + "/" + single.name)
  }

  /// The log that a server publishes now; nil while there is none.
  var log: LogLocation? { indexed.log.map { .segment($0) } ?? single.location.map { .section($0) } }

  /// Maps a log, read-only, and finds out how its records lie.
  ///
  /// - Returns: nil if the server hasn't finished making it.
  /// - Throws: `LogError` if it can't be mapped or is no log.
  func attach(
    _ location: LogLocation, start: LogStart, stopsAtTail: Bool
  ) throws(LogError) -> LiveRing? {
    switch location {
    case .segment(let location):
      try indexed.attach(location, in: directory, start: start, stopsAtTail: stopsAtTail)
    case .section: try single.attach(start: start, stopsAtTail: stopsAtTail)
    }
  }

  /// Reads all counters of the server whose log was found here; nil if there is none.
  ///
  /// - Throws: `LogError` if there are some that can't be read.
  mutating func sampleCounters() throws(LogError) -> CounterSample? {
    guard indexed.isThere else { return single.sampleCounters() }
    do throws(SystemError) {
      return try counters.sample(in: directory)
    } catch {
      throw .system(error)
    }
  }

  /// The incarnation of the present log, if it may change while the log is read.
  var incarnation: LogIncarnation? { single.incarnation }
}

/// Whether a server runs, as its files tell.
enum WriterLife: Equatable {
  case runs
  case ended(String)
  case unknown

  static func words(for process: Int32) -> String { "its varnishd, process \(process), doesn't run any more" }
}

/// Which log of an instance it is: another worker's log is another one, even if its file has the same name.
enum LogLocation: Equatable {
  case segment(IndexedLog.Location)
  case section(SingleFileLog.Location)
}
