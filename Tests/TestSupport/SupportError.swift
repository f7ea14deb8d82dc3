import Glibc

/// An error of the test harness.
public struct SupportError: Error, Sendable, CustomStringConvertible {
  /// What was attempted, on what, and with what result, in one line.
  public let description: String

  /// Creates an error from a whole sentence.
  public init(_ description: String) {
    self.description = description
  }

  /// Creates an error for a failed system call; `number` is the `errno` it left.
  public init(_ attempt: String, errno number: Int32) {
    description = "\(attempt): \(String(cString: strerror(number)))"
  }
}

/// Calls `body` again for as long as a signal interrupts it.
///
/// - Returns: What `body` gave; -1 only with an `errno` other than `EINTR`.
@discardableResult
func retryingInterrupts<Result: BinaryInteger>(_ body: () -> Result) -> Result {
  while true {
    let result = body()
    if result == -1, errno == EINTR { continue }
    return result
  }
}
