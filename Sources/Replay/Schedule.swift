/// Computes when records are due, in nanoseconds on the steady clock.
///
/// Every time is computed from the beginning, not from the time before it, so that a delay doesn't make all
/// later records late.
package struct Schedule {
  private let pace: ReplayOptions.Pace
  private let start: Int64
  private var transactions = 0

  /// A recorded time, and when records of that time are due.
  private var anchor: (recorded: Int64, due: Int64)?
  /// The recorded time of the latest records.
  private var latest: Int64 = 0

  /// A difference of an hour between two records isn't elapsed time: the clock was set, or another capture
  /// begins.
  private static let jump: Int64 = 3600 * 1_000_000_000

  /// Begins a schedule at a time.
  package init(_ pace: ReplayOptions.Pace, start: Int64) {
    self.pace = pace
    self.start = start
  }

  /// Whether `due` needs the times at which records were written.
  package var needsRecordedTimes: Bool {
    if case .recorded = pace { true } else { false }
  }

  /// Begins another pass, whose first record is due at once.
  package mutating func beginPass() { anchor = nil }

  /// When the next records are due.
  ///
  /// - Parameters:
  ///   - recorded: the time at which the records were written according to themselves.
  ///   - endsTransaction: whether the records complete a transaction.
  ///   - now: the current time on the steady clock.
  package mutating func due(recorded: Int64?, endsTransaction: Bool, now: Int64) -> Int64 {
    switch pace {
    case .max: return now
    case .rate(let rate):
      guard endsTransaction else { return now }
      defer { transactions += 1 }
      return start + Int64(min((Double(transactions) / rate * 1e9).rounded(), 1e18))
    case .recorded(let speed):
      guard let recorded else { return now }
      // Recorded times are below 2⁶³ and above 0.
      guard let anchor, abs(recorded - latest) < Self.jump else {
        anchor = (recorded, now)
        latest = recorded
        return now
      }
      latest = recorded
      return anchor.due + Int64(max(-1e18, min((Double(recorded - anchor.recorded) / speed).rounded(), 1e18)))
    }
  }
}
