package import Platform

/// Why an output cannot go on: which operation failed, on what, and what the system said.
public struct SinkError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What was written to: a file's path, or a name such as `standard output`.
  public let target: String
  /// What was attempted, by the name of its system call.
  public let operation: String
  /// The system's error number; 0 when the refusal is ours.
  public let code: Int32
  /// What was wrong, in words.
  public let detail: String

  /// Which part of a path is to blame, whose that is and who is asking; nothing if `detail` says it all.
  public let explanation: String

  /// One line: `access.log: write: No space left on device`.
  public var description: String { "\(target): \(operation): \(detail)\(explanation)" }

  /// Whether there is no use in trying again.
  public let isFinal: Bool

  package init(target: String, operation: String, errno: Errno) {
    self.target = target
    self.operation = operation
    code = errno.code
    isFinal = errno == .brokenPipe || errno == .connectionReset
    let text = errno.description
    detail = errno == .brokenPipe ? "\(text) (the consumer went away)" : text
    explanation = target.hasPrefix("/") ? RefusedPath.explanation(of: target, code: errno.code) : ""
  }

  package init(target: String, operation: String, refusal: String) {
    self.target = target
    self.operation = operation
    code = 0
    isFinal = true
    detail = refusal
    explanation = ""
  }
}
