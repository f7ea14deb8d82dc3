/// Says when what is played is due, on the steady clock in nanoseconds.
///
/// Every time is counted from the beginning, not from the one before, so being late once makes nothing
/// later.
package struct Schedule {
  private let pace: ReplayOptions.Pace
  private let start: Int64
  private var transactions = 0

  /// A recorded time, and when what was written then is due.
  private var anchor: (recorded: Int64, due: Int64)?
  /// The recorded time of what came last.
  private var latest: Int64 = 0

  /// A clock doesn't go on by an hour from one record to the next: it was set, or this is another capture.
  private static let jump: Int64 = 3600 * 1_000_000_000

  /// Begins at a time.
  package init(_ pace: ReplayOptions.Pace, start: Int64) {
    self.pace = pace
    self.start = start
  }

  /// Whether it has to be told when records were written.
  package var needsRecordedTimes: Bool {
    if case .recorded = pace { true } else { false }
  }

  /// Begins another pass, whose first record is due at once.
  package mutating func beginPass() { anchor = nil }

  /// When the next records are due.
  ///
  /// - Parameters:
  ///   - recorded: when they were written according to themselves.
  ///   - endsTransaction: whether a transaction is complete with them.
  ///   - now: what the clock says.
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
