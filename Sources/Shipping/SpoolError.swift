/// Why a spool could not be made.
public struct SpoolError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What was attempted.
  public let operation: String
  /// The system's error number.
  public let code: Int32

  /// One line: `spool: memory for the first block: Cannot allocate memory`.
  public var description: String { "spool: \(operation): \(Errno(code))" }

  init(operation: String, errno: Errno) {
    self.operation = operation
    code = errno.code
  }
}
