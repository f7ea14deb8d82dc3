import Metrics
import Pipeline
import Platform

/// The metrics outputs of a process, by their settings: after a reload, an output with the same settings is the
/// same object and goes on counting.
final class MetricsShelf: Sendable {
  /// Where the run puts its status.
  let board = StatusBoard()
  private let outputs = Guarded<[MetricsSettings: MetricsOutput]>([:])
  private let programName: String

  init(programName: String = "spillway") { self.programName = programName }

  /// The output with these settings; it is made if there is none yet.
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
