/// Everything a run is told, checked as far as it can be without looking at the log.
///
/// Options and the configuration file both make one.
public struct Configuration: Sendable, Equatable {
  /// A mistake because of which something compiles for no log.
  public struct Mistake: Error, Sendable {
    /// The index of the output that has the mistake.
    public let outputIndex: Int
    /// What is wrong.
    public let error: RunError
  }

  /// Where records come from.
  public var input: InputConfiguration
  /// What is made of the records, and where it goes; at least one output.
  public var outputs: [OutputConfiguration]
  /// What concerns the process as a whole.
  public var process = ProcessConfiguration()

  /// A run with one output, and the usual defaults.
  public init(input: InputConfiguration, output: OutputConfiguration = OutputConfiguration()) {
    self.input = input
    outputs = [output]
  }

  /// Compiles every format, query and rule, and returns what is wrong with them; opens no log and no output.
  ///
  /// A run looks for the same mistakes, and refuses to begin at the first.
  public func check() -> [Mistake] {
    outputs.enumerated().flatMap { index, output in
      output.mistakes(input).map { Mistake(outputIndex: index, error: $0) }
    }
  }

  /// Whether the run follows a live log until something ends it.
  var followsLog: Bool {
    input.source.isLive && !input.existingOnly
  }
}
