package import Platform

/// Why a spool could not be made.
public struct SpoolError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The system's error number; 0 when the refusal is ours.
  public let code: Int32
  private let text: String

  /// One line: `spool: memory for the first block: Cannot allocate memory`.
  public var description: String { "spool: \(text)" }

  package init(operation: String, errno: Errno) {
    text = "\(operation): \(errno)"
    code = errno.code
  }

  /// The disk can't be used.
  package init(_ error: SystemError) {
    text = error.description
    code = error.code
  }
}
