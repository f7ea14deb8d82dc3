/// How a run has ended.
public enum RunOutcome: Sendable, Equatable {
  /// All went well, and nothing was lost.
  case complete
  /// The run ended well, but something was lost.
  case incomplete
  /// The input couldn't be read to its end.
  case inputFailed
  /// An output failed.
  case outputFailed
}
