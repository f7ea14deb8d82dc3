/// What was played.
public struct ReplayReport: Sendable, Equatable {
  /// Transactions that were played to their end.
  public internal(set) var transactions = 0
  /// Records that were written.
  public internal(set) var records: UInt64 = 0
  /// Bytes of the live log that they took.
  public internal(set) var bytes: UInt64 = 0
  /// Records that are longer than any in a log of this size, and were cut.
  public internal(set) var truncated: UInt64 = 0
  /// Records that were left out because the live log's numbering has no number for their tags.
  public internal(set) var leftOut: UInt64 = 0
  /// How often the captured logs were played, the last time perhaps not to their end.
  public internal(set) var passes = 0
  /// The time from the first record to the last.
  public internal(set) var nanoseconds: Int64 = 0
  /// Whether a captured log couldn't be read to its end, or has records that aren't known.
  public internal(set) var isFaulty = false
  /// Whether bytes of a captured log were given up, as they hold no records that can be believed.
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
