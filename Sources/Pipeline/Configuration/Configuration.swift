/// Everything a run is told, checked as far as it can be without looking at the log.
///
/// Options and the configuration file both make one.
public struct Configuration: Sendable {
  /// Where records come from.
  public var input: InputConfiguration
  /// What is made of them, and where it goes; at least one.
  public var outputs: [OutputConfiguration]
  /// What concerns the process as a whole.
  public var process = ProcessConfiguration()

  /// A run with one output, and the usual defaults.
  public init(input: InputConfiguration, output: OutputConfiguration = OutputConfiguration()) {
    self.input = input
    outputs = [output]
  }

  /// Whether the run goes on for as long as nothing ends it.
  var followsLog: Bool {
    guard case .live = input.source else { return false }
    return !input.existingOnly
  }
}
