public import Platform

/// Why a log can't be made or added to.
public enum LogWriterError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Another process writes a log in this place: one of the two was given the wrong name.
  case inUse(path: String, pid: Int32?)
  /// An option or argument has a value that no log can have.
  case invalid(option: String, problem: String)
  /// The directory has an entry in the way that no log has left there, and that is therefore not removed.
  case obstructed(path: String, entry: String)
  /// There is no room for a section any more.
  ///
  /// `cooling` bytes become free again when the sections that had them have been freed for long enough.
  case exhausted(path: String, needed: Int, free: Int, cooling: Int)
  /// The log has been closed.
  case closed(path: String)
  /// A system call failed.
  case system(SystemError)

  /// One line without the program's name.
  public var description: String {
    switch self {
    case .inUse(let path, let pid):
      "\(path): \(pid.map { "process \($0)" } ?? "another process") is writing a log there;"
        + " end it, or give this log another directory"
    case .invalid(let option, let problem): "\(option): \(problem)"
    case .obstructed(let path, let entry):
      "\(path): \(entry) is not a part of a log; remove it, or give the log another directory"
    case .exhausted(let path, let needed, let free, let cooling):
      "\(path): no room for a section of \(needed) bytes: the largest free piece has \(free),"
        + " and \(cooling) are still kept for readers of what was there"
    case .closed(let path): "\(path): the log has been closed"
    case .system(let error): error.description
    }
  }
}

extension LogWriterError {
  /// Runs a closure, and makes the error of a failed system call in it a `LogWriterError`.
  static func wrapping<Result>(
    _ body: () throws(SystemError) -> Result
  ) throws(LogWriterError) -> Result {
    do {
      return try body()
    } catch {
      throw .system(error)
    }
  }
}
