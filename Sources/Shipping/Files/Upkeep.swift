import Platform

/// When it is looked after files that are not being written.
struct Upkeep {
  /// How often it is looked for files that have become too old, and tried again what has failed.
  static let nanoseconds: Int64 = 60_000_000_000

  private enum Next {
    /// There is a reason to, such as a new file.
    case now
    /// When the steady clock says so much.
    case at(Int64)
    /// As soon as there is a reason to.
    case onRequest
  }

  private var next = Next.now

  /// Has it be looked soon.
  mutating func request() { next = .now }

  /// Whether it is time to look.
  func isDue(at now: Moment) -> Bool { wait(at: now).map { $0 <= 0 } ?? false }

  /// Notes that it was looked.
  /// - Parameter isRepeated: whether to do so again without a reason.
  mutating func end(at now: Moment, isRepeated: Bool) {
    next = isRepeated ? .at(now.steadyNanoseconds + Self.nanoseconds) : .onRequest
  }

  /// In how many nanoseconds it is; nil if not by the clock.
  func wait(at now: Moment) -> Int64? {
    switch next {
    case .now: 0
    case .at(let nanoseconds): nanoseconds - now.steadyNanoseconds
    case .onRequest: nil
    }
  }
}
