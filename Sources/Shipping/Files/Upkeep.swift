import Platform

/// The schedule for work on files that are not being written.
struct Upkeep {
  /// How often files are checked for their age, and failed work is repeated.
  static let nanoseconds: Int64 = 60_000_000_000

  private enum Next {
    /// There is a reason for work, such as a new file.
    case now
    /// When the steady clock reaches this time.
    case at(Int64)
    /// As soon as there is a reason for work.
    case onRequest
  }

  private var next = Next.now

  /// Schedules work for the next tick.
  mutating func request() { next = .now }

  /// Whether work is due.
  func isDue(at now: Moment) -> Bool { wait(at: now).map { $0 <= 0 } ?? false }

  /// Notes that the work was done.
  /// - Parameter isRepeated: whether to do it again without a reason.
  mutating func end(at now: Moment, isRepeated: Bool) {
    next = isRepeated ? .at(now.steadyNanoseconds + Self.nanoseconds) : .onRequest
  }

  /// In how many nanoseconds work is due; nil if not by the clock.
  func wait(at now: Moment) -> Int64? {
    switch next {
    case .now: 0
    case .at(let nanoseconds): nanoseconds - now.steadyNanoseconds
    case .onRequest: nil
    }
  }
}
