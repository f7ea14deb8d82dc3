/// The result of a replay.
public struct ReplayReport: Sendable, Equatable {
  /// Transactions that were replayed completely.
  public internal(set) var transactions = 0
  /// Records that were written.
  public internal(set) var records: UInt64 = 0
  /// Bytes that those records take in the live log.
  public internal(set) var bytes: UInt64 = 0
  /// Records that were cut because they are longer than a log of this size allows.
  public internal(set) var truncated: UInt64 = 0
  /// Records that were left out because the live log's numbering has no number for their tags.
  public internal(set) var leftOut: UInt64 = 0
  /// How often the captured logs were replayed; the last pass may be incomplete.
  public internal(set) var passes = 0
  /// The time from the first record to the last.
  public internal(set) var nanoseconds: Int64 = 0
  /// Whether a captured log couldn't be read to its end, or has records with unknown tags.
  public internal(set) var isFaulty = false
  /// Whether bytes of a captured log were skipped because they hold no plausible records.
  public internal(set) var isIncomplete = false

  /// Transactions per second.
  public var rate: Double { nanoseconds > 0 ? Double(transactions) * 1e9 / Double(nanoseconds) : 0 }

  /// The line for standard error.
  public var description: String {
    let milliseconds = (nanoseconds + 500_000) / 1_000_000
    let fraction = "\(1000 + milliseconds % 1000)".dropFirst()
    let sums =
      "transactions=\(transactions) records=\(records) bytes=\(bytes)"
      + " seconds=\(milliseconds / 1000).\(fraction) rate=\(Int(rate.rounded()))"
    let rest = [("passes", UInt64(passes)), ("truncated", truncated), ("left_out", leftOut)]
    return rest.reduce(sums) { line, figure in
      figure.1 > (figure.0 == "passes" ? 1 : 0) ? line + " \(figure.0)=\(figure.1)" : line
    }
  }
}
