import Pipeline

/// What the process tells its parent.
enum ExitStatus {
  /// All went well.
  static let success: Int32 = 0
  /// Wrong usage, or an input that can't be read to its end.
  static let failure: Int32 = 1
  /// An output failed.
  static let outputFailed: Int32 = 4
  /// The run ended well, but something was lost.
  static let incomplete: Int32 = 5

  /// The exit status for a run's outcome.
  static func of(_ outcome: RunOutcome) -> Int32 {
    switch outcome {
    case .complete: success
    case .incomplete: incomplete
    case .inputFailed: failure
    case .outputFailed: outputFailed
    }
  }
}
