import Glibc
import SharedMemory

/// Keeps track of one instance through restarts of its worker, of its manager, and of a directory that is
/// made anew.
public struct InstanceFollower: ~Copyable {
  /// The instance's directory.
  public let path: String
  /// Whether the log that was attached last is no longer the instance's log.
  public private(set) var isStale = false
  /// Why there is nothing to attach to, in words for whoever has to put it right.
  public private(set) var trouble = ""
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

  private var log: LogLocation? {
    switch directory {
    case .some(let directory): directory.log
    case nil: nil
    }
  }

  /// Looks at the directory anew: three system calls if nothing has changed.
  public mutating func refresh() {
    trouble = "\(path): no server has published a log there"
    do throws(SystemError) {
      if directory == nil { directory = try InstanceDirectory(path: path) }
      if try directory?.refresh() == false {
        directory = nil
        directory = try InstanceDirectory(path: path)
        _ = try directory?.refresh()
      }
    } catch {
      trouble = Self.explain(error)
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
      trouble = Self.explain(cause)
      throw error
    }
  }

  /// The failure, and for a lack of permission whose the file is and who is asking.
  private static func explain(_ error: SystemError) -> String {
    let text = "\(error.path): \(error.reason)"
    guard error.code == EACCES || error.code == EPERM else { return text }
    // The name itself may be hidden by a directory above it; then that one is what to look at.
    var shown = error.path
    while true {
      if case .success(let identity) = FileIdentity.of(path: shown) {
        let mode = String(identity.permissions, radix: 8)
        return text + "; \(shown) belongs to \(userName(identity.owner)):\(groupName(identity.group))"
          + " with mode 0\(mode), and \(userName(geteuid())) is asking"
      }
      guard let slash = shown.lastIndex(of: "/"), slash > shown.startIndex else { return text }
      shown = String(shown[..<slash])
    }
  }

  private static func userName(_ number: UInt32) -> String {
    guard let entry = getpwuid(number) else { return "user \(number)" }
    return String(cString: entry.pointee.pw_name)
  }

  private static func groupName(_ number: UInt32) -> String {
    guard let entry = getgrgid(number) else { return "group \(number)" }
    return String(cString: entry.pointee.gr_name)
  }
}
