import Glibc
import Platform

/// Keeps track of one instance through restarts of its worker, of its manager, and of a directory that is
/// made anew.
public struct InstanceFollower: ~Copyable {
  /// The instance's directory.
  public let path: String
  /// Whether the log that was attached last is no longer the instance's log.
  public private(set) var isStale = false
  /// Why there is nothing to attach to, in words for whoever has to put it right.
  ///
  /// Put together when it is asked for: names of users and groups may have to be looked up.
  public var trouble: String {
    if let failure { return "\(failure.path): \(failure.reason)\(failure.explanation)" }
    return missingLog ?? "\(path): no server has published a log there"
  }
  /// Whether there is something in the directory that no server has put there, so that waiting has no use.
  public var isRefused: Bool { failure?.isRefusal ?? false }
  private var failure: SystemError?
  private var directory: InstanceDirectory?
  private var attached: LogLocation?

  /// Follows the instance in a directory, whether it is there yet or not.
  public init(path: String) { self.path = path }

  /// Whether a server has published itself there.
  public var hasManager: Bool {
    switch directory {
    case .some(let directory): directory.hasManager
    case nil: false
    }
  }

  /// The number of the manager's process if it doesn't run, so that no log will come.
  public var deadManager: Int32? {
    switch directory {
    case .some(let directory): directory.deadManager
    case nil: nil
    }
  }

  private var missingLog: String? {
    switch directory {
    case .some(let directory): directory.hasManager ? directory.missingLog : nil
    case nil: nil
    }
  }

  private var log: LogLocation? {
    switch directory {
    case .some(let directory): directory.log
    case nil: nil
    }
  }

  /// Looks at the directory anew: three system calls if nothing has changed.
  public mutating func refresh() {
    failure = nil
    do throws(SystemError) {
      if directory == nil { directory = try InstanceDirectory(path: path) }
      if try directory?.refresh() == false {
        directory = nil
        directory = try InstanceDirectory(path: path)
        _ = try directory?.refresh()
      }
    } catch {
      failure = error
      if error.path == path { directory = nil }
    }
    isStale = attached != nil && log != attached
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
      guard let ring = try directory?.attach(location, start: start, stopsAtTail: stopsAtTail) else {
        return nil
      }
      attached = location
      isStale = false
      return ring
    } catch {
      guard case .system(let cause) = error else { throw error }
      // A file that is gone again is one that was just replaced.
      if cause.code == ENOENT { return nil }
      failure = cause
      throw error
    }
  }
}
