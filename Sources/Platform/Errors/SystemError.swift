import Glibc

/// A system call that failed: what was attempted, on what, and why.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was attempted, as a verb phrase: "open", "read".
  public let operation: String
  /// The file or object it was attempted on.
  public let path: String
  /// The `errno` value the call left behind; 0 if the refusal is ours.
  public let code: Int32
  /// What is wrong, if it wasn't the system that refused.
  private let problem: String?

  /// Describes a failed call; `code` is what `errno` holds unless given.
  public init(operation: String, path: String, code: Int32? = nil) {
    self.code = code ?? errno
    self.operation = operation
    self.path = path
    problem = nil
  }

  /// Refuses something that the system would have done.
  public init(operation: String, path: String, problem: String) {
    code = 0
    self.operation = operation
    self.path = path
    self.problem = problem
  }

  /// Whether the refusal is ours: trying again has no use.
  public var isRefusal: Bool { problem != nil }

  /// The system's text for `code`, for example "No such file or directory"; or what is wrong.
  public var reason: String { unsafe problem ?? String(cString: strerror(code)) }

  /// Which part of the path is to blame, whose that is and who is asking; nothing if the reason says it all.
  public var explanation: String { RefusedPath.explanation(of: path, code: code) }

  /// One line: path, operation, reason.
  public var description: String { "\(path): \(operation): \(reason)\(explanation)" }
}

/// Repeats a system call for as long as a signal interrupts it.
public func retryingOnInterrupt(_ call: () -> Int) -> Int {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}
