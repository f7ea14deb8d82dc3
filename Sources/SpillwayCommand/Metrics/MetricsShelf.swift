import Metrics
import Pipeline
import Platform

/// The metrics that a process tells: an output that is described as before is the same one, which goes on counting.
final class MetricsShelf: Sendable {
  /// Where the run leaves how it stands.
  let board = StatusBoard()
  private let outputs = Guarded<[MetricsSettings: MetricsOutput]>([:])
  private let programName: String

  init(programName: String = "spillway") { self.programName = programName }

  /// The output for some settings.
  func output(_ settings: MetricsSettings) -> MetricsOutput {
    outputs.withLock { outputs in
      if let output = outputs[settings] { return output }
      let name = programName
      let output = MetricsOutput(settings, board) { SpillwayCommand.complain($0, as: name) }
      outputs[settings] = output
      return output
    }
  }
}
