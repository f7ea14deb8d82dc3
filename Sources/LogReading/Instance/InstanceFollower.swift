import Glibc
import Platform
public import VarnishLog

/// Keeps track of one instance through restarts of its worker, of its manager, and of a directory or file that is
/// made anew.
public struct InstanceFollower: ~Copyable {
  /// The instance's directory, or the file that was named itself.
  public let path: String
  /// Whether the log that was attached last is no longer the instance's log.
  public private(set) var isStale = false
  private let isPostMortem: Bool
  private var place: Place
  private var failure: LogError?
  private var attached: LogLocation?
  private var restartsSeen = 0
  /// Whether the writer of the log that is attached to was seen to run.
  private var wasAlive = false
  /// When the writer's process was last looked for, and the least time between two looks at a log of 5.2 or
  /// later, whose index shows a new writer by itself.
  private var lifeAskedNanoseconds: Int64 = 0
  private static let lifePauseNanoseconds: Int64 = 2_000_000_000

  /// Where the log is looked for.
  fileprivate enum Place: ~Copyable {
    /// In an instance's directory, which isn't open yet, or not any more.
    case absent
    case directory(InstanceDirectory)
    /// In a file, even if it is abandoned or replaced.
    case file(SingleFileLog)
  }

  /// Follows the instance in a directory, whether it is there yet or not.
  ///
  /// - Parameter isPostMortem: whether a log that its server has abandoned is read as well.
  public init(path: String, isPostMortem: Bool = false) {
    self.path = path
    self.isPostMortem = isPostMortem
    place = .absent
  }

  /// Reads the log in a file of shared memory, as servers had before 5.2, and stays with it: whether it is abandoned,
  /// or replaced, makes no difference.
  public init(file path: String) {
    self.path = path
    isPostMortem = true
    place = .file(SingleFileLog(readsAbandoned: true))
  }

  /// Whether a server has published itself there.
  public var hasManager: Bool {
    switch place {
    case .absent: false
    case .directory(let directory): directory.hasManager
    case .file(let file): file.hasManager
    }
  }

  /// The manager's process ID if this process has ended, so that no log will come; nil otherwise.
  public var deadManager: Int32? {
    switch place {
    case .absent: nil
    case .directory(let directory): directory.deadManager
    case .file(let file): file.deadManager
    }
  }

  /// Why there is nothing to attach to, in words for the administrator.
  ///
  /// Put together when it is asked for: names of users and groups may have to be looked up.
  public var trouble: String {
    switch failure {
    case .system(let error)?: "\(error.path): \(error.reason)\(error.explanation)"
    case let failure?: failure.description
    case nil: missingLog ?? "\(path): no server has published a log there"
    }
  }

  /// Whether there is something in the directory that no server has put there, so that waiting has no use.
  public var isRefused: Bool {
    if case .system(let error)? = failure { error.isRefusal } else { false }
  }

  private var missingLog: String? {
    switch place {
    case .absent: nil
    case .directory(let directory): directory.missingLog
    case .file(let file): file.missingLog(of: path)
    }
  }

  private var log: LogLocation? {
    switch place {
    case .absent: nil
    case .directory(let directory): directory.log
    case .file(let file): file.location.map { .section($0) }
    }
  }

  private var restarts: Int {
    switch place {
    case .absent: restartsSeen
    case .directory(let directory): directory.restarts
    case .file: restartsSeen
    }
  }

  /// Looks at the instance anew: three or four system calls if nothing has changed.
  ///
  /// - Parameter now: nanoseconds on a clock that is never set; nil asks the system's.
  public mutating func refresh(at now: Int64? = nil) {
    failure = nil
    do throws(LogError) {
      try look(at: now ?? SystemClock.steadyNanoseconds)
    } catch {
      failure = error
    }
    isStale = attached != nil && log != attached
  }

  private mutating func look(at now: Int64) throws(LogError) {
    // A directory that was replaced is opened by name again, but only once.
    for _ in 0..<2 {
      if place.isAbsent {
        let directory = try LogError.wrapping { () throws(SystemError) in
          try InstanceDirectory(path: path, readsAbandoned: isPostMortem)
        }
        place = .directory(directory)
      }
      if try place.refresh(at: now, file: path) { return }
      place = .absent
    }
  }

  /// The log's new incarnation if it has stayed where it was, but another process writes it than at the last
  /// call or when it was attached to; nil otherwise.
  public mutating func takeRestart() -> LogIncarnation? {
    guard attached != nil, !isStale, restarts != restartsSeen else { return nil }
    restartsSeen = restarts
    switch place {
    case .directory(let directory): return directory.incarnation
    case .absent: return nil
    case .file: return nil
    }
  }

  /// A message that the process that writes the attached log was seen to run before and has ended without a
  /// sign; nil if it hasn't, or if the message was returned before.
  ///
  /// Takes some system calls, and is for times when there is nothing else to do.
  ///
  /// - Parameter now: as in `refresh`.
  public mutating func takeOrphaning(at now: Int64) -> String? {
    guard let attached, !isStale else { return nil }
    if case .segment = attached, now - lifeAskedNanoseconds < Self.lifePauseNanoseconds { return nil }
    lifeAskedNanoseconds = now
    switch place.writerLife(at: now) {
    case .runs: wasAlive = true
    case .unknown: break
    case .ended(let words):
      guard wasAlive else { return nil }
      wasAlive = false
      return words
    }
    return nil
  }

  /// A message about what has replaced the attached log; nil if nothing has replaced it yet.
  public var successor: String? {
    switch (attached, log) {
    case (_, nil): nil
    case (.section(let old)?, .section(let new)?) where old.file == new.file:
      old.section == new.section
        ? "\(path): the file has been begun anew" : "\(path): the log has another place in the file now"
    default: "\(path): another log has come in its place"
    }
  }

  /// Maps the instance's present log.
  ///
  /// - Returns: nil if there is none, or if it is still being made.
  /// - Throws: `LogError` if there is one and it can't be used.
  public mutating func attach(
    start: LogStart, stopsAtTail: Bool
  ) throws(LogError) -> LiveRing? {
    guard let location = log else { return nil }
    do {
      guard let ring = try map(location, start: start, stopsAtTail: stopsAtTail) else { return nil }
      attached = location
      isStale = false
      wasAlive = false
      restartsSeen = restarts
      return ring
    } catch {
      guard case .system(let cause) = error else { throw error }
      // The file was removed since it was looked at: it was just replaced.
      if cause.code == ENOENT { return nil }
      failure = error
      throw error
    }
  }

  /// Reads what the instance's server counts, at this moment.
  ///
  /// - Returns: nil if no server has published anything there, or has ended and taken it back.
  /// - Throws: `LogError` if there are counters that can't be read.
  public mutating func sampleCounters() throws(LogError) -> CounterSample? { try place.sampleCounters() }

  private func map(
    _ location: LogLocation, start: LogStart, stopsAtTail: Bool
  ) throws(LogError) -> LiveRing? {
    switch place {
    case .absent: nil
    case .directory(let directory):
      try directory.attach(location, start: start, stopsAtTail: stopsAtTail)
    case .file(let file): try file.attach(start: start, stopsAtTail: stopsAtTail)
    }
  }
}

extension InstanceFollower.Place {
  fileprivate var isAbsent: Bool {
    switch self {
    case .absent: true
    case .directory: false
    case .file: false
    }
  }

  fileprivate func writerLife(at now: Int64) -> WriterLife {
    switch self {
    case .absent: .unknown
    case .directory(let directory): directory.writerLife(at: now)
    case .file: .unknown
    }
  }

  fileprivate mutating func sampleCounters() throws(LogError) -> CounterSample? {
    switch consume self {
    case .absent:
      self = .absent
      return nil
    case .directory(var directory):
      do throws(LogError) {
        let sample = try directory.sampleCounters()
        self = .directory(directory)
        return sample
      } catch {
        self = .directory(directory)
        throw error
      }
    case .file(let file):
      let sample = file.sampleCounters()
      self = .file(file)
      return sample
    }
  }

  /// Looks at the place anew.
  ///
  /// - Returns: false if the directory was removed or replaced.
  fileprivate mutating func refresh(at now: Int64, file path: String) throws(LogError) -> Bool {
    switch consume self {
    case .absent:
      self = .absent
      return false
    case .directory(var directory):
      do throws(LogError) {
        let isThere = try directory.refresh(at: now)
        self = .directory(directory)
        return isThere
      } catch {
        self = .directory(directory)
        throw error
      }
    case .file(var file):
      do throws(LogError) {
        try file.refresh(path: path, at: now)
        self = .file(file)
        return true
      } catch {
        self = .file(file)
        throw error
      }
    }
  }
}
