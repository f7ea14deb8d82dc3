/// When a file output puts written entries on the disk, so that they outlive a power cut.
public enum SyncPolicy: Sendable, Equatable {
  /// Never: the kernel writes them when it likes.
  case never
  /// After each batch.
  case eachBatch
  /// When this much time has passed since the last time, and something was written.
  case interval(nanoseconds: Int64)

  /// The shortest interval.
  static let nanosecondsMin: Int64 = 1_000_000

  /// Understands `never`, `each-batch`, and a length of time.
  /// - Throws: `OptionValueError` when it is something else, or shorter than a millisecond.
  public init(_ text: String) throws(OptionValueError) {
    switch text {
    case "never": self = .never
    case "each-batch": self = .eachBatch
    default:
      guard let span = try? TimeSpan(text) else {
        throw OptionValueError(
          value: text,
          problem: "is none of each-batch, never and a time: expected a number with its unit (like 1s)")
      }
      guard span.nanoseconds >= Self.nanosecondsMin else {
        throw OptionValueError(
          value: text, problem: "is too short a time: the shortest is 1ms, and each-batch")
      }
      self = .interval(nanoseconds: span.nanoseconds)
    }
  }
}
