import Glibc

/// A failed operation: what was attempted, on what, and why it failed.
///
/// Its text is complete when it is made, and needs no further access to the file system: the thread that
/// reports it may be one that must not wait for a file system.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was attempted, as a verb phrase or by the name of its system call: "open", "read".
  public let operation: String
  /// The file or object it was attempted on: a path, or a name such as `standard output`.
  public let path: String
  /// The `errno` value the call left behind; 0 if the refusal is ours.
  public let code: Int32
  /// The system's text for `code`, for example "No such file or directory"; or our own reason.
  public let reason: String
  /// The part of the path that is the reason, its owner, and the user of this process; empty if the reason
  /// suffices.
  public let explanation: String
  /// Whether the refusal is ours: trying again has no use.
  public let isRefusal: Bool

  /// Describes a failed call; `code` is what `errno` holds unless given.
  public init(operation: String, path: String, code: Int32? = nil) {
    let code = code ?? errno
    self.code = code
    self.operation = operation
    self.path = path
    reason = Errno(code).description
    explanation = RefusedPath.explanation(of: path, code: code)
    isRefusal = false
  }

  /// Describes a failed call; what it was made on is taken for a path if its name begins with a slash.
  /// - Parameter remark: what the system's text means here.
  package init(operation: String, path: String, errno: Errno, remark: String? = nil) {
    code = errno.code
    self.operation = operation
    self.path = path
    reason = errno.description + (remark.map { " (\($0))" } ?? "")
    explanation = path.hasPrefix("/") ? RefusedPath.explanation(of: path, code: errno.code) : ""
    isRefusal = false
  }

  /// Describes a refusal of our own, of something that the system would have done.
  public init(operation: String, path: String, problem: String) {
    code = 0
    self.operation = operation
    self.path = path
    reason = problem
    explanation = ""
    isRefusal = true
  }

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
