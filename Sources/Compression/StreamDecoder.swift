/// A decoder of the members or frames of one format, from their first byte to their last.
protocol StreamDecoder: AnyObject {
  /// Decodes until the input is used up, the output is full, the member or frame has ended, or there is a
  /// fault.
  ///
  /// - Parameter output: not empty.
  func decode(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> DecodingStep
}

/// How far a decoder came.
struct DecodingStep {
  enum Outcome {
    /// The input is used up, or the output is full.
    case goesOn
    /// The member or frame is complete; another one may follow.
    case partEnded
    case failed(DecompressionError.Kind, detail: String?)
  }

  var consumed = 0
  var produced = 0
  var outcome = Outcome.goesOn
  /// How many bytes before the last one consumed the fault lies, if there is one.
  var faultDistance = 0
}
