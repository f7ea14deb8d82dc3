import Glibc

/// A system call that failed: what was attempted, on what, and why.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was attempted, as a verb phrase: "open", "read".
  public let operation: String
  /// The file or object it was attempted on.
  public let path: String
  /// The `errno` value the call left behind.
  public let code: Int32

  /// Describes a failed call; `code` is what `errno` holds unless given.
  public init(operation: String, path: String, code: Int32? = nil) {
    self.code = code ?? errno
    self.operation = operation
    self.path = path
  }

  /// The system's text for `code`, for example "No such file or directory".
  public var reason: String { String(cString: strerror(code)) }

  /// One line: path, operation, reason.
  public var description: String { "\(path): \(operation): \(reason)" }
}

/// Repeats a system call for as long as a signal interrupts it.
public func retryingOnInterrupt(_ call: () -> Int) -> Int {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}
