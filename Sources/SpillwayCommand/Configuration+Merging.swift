import Pipeline
import Rendering

extension Configuration {
  /// Refuses an order for what has none, and has transactions be made where they are to be put in order.
  mutating func checkMerging() throws(UsageError) {
    guard case .captured(let capture) = input.source, capture.merges else { return }
    for index in outputs.indices {
      switch outputs[index].shown {
      case .records(.text(isVerbose: _)):
        throw UsageError("--merge puts transactions in order; -g raw shows records")
      case .records(.records), .groups(.records):
        throw UsageError(
          "--merge: in one binary log, transactions of several logs would have the same numbers")
      case .lines, .groups(.text(isVerbose: _)): outputs[index].isGroupingStated = true
      }
    }
  }
}
