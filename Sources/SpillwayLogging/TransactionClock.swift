import Platform

/// The times in a transaction.
///
/// The start is a time of day; later times are measured from it by a clock that is never set, so that none is
/// before another.
struct TransactionClock: Sendable {
  private let start: ContinuousClock.Instant
  /// The start in microseconds since 1970.
  private let startTime: Int64
  /// The latest mark in microseconds since the start.
  private var latest: Int64 = 0

  /// Begins at a moment that isn't in the future.
  init(start: ContinuousClock.Instant) {
    let timeOfDay = SystemClock.wallNanoseconds / 1000
    let now = ContinuousClock.now
    self.start = min(start, now)
    startTime = max(0, timeOfDay - Self.microseconds(self.start.duration(to: now)))
  }

  /// The payload of the first `Timestamp`.
  var startText: String { "Start: \(startTimeText) 0.000000 0.000000" }

  /// The start in seconds since 1970.
  var startTimeText: String { Self.seconds(startTime) }

  /// The time since the start, in seconds with milliseconds.
  var durationText: String { String(Self.seconds(elapsed).dropLast(3)) }

  /// The payload of a further `Timestamp`: the time, and the seconds since the start and since the one before.
  mutating func mark(_ label: String) -> String {
    let elapsed = elapsed
    defer { latest = elapsed }
    return "\(label): \(Self.seconds(startTime + elapsed)) \(Self.seconds(elapsed))"
      + " \(Self.seconds(elapsed - latest))"
  }

  private var elapsed: Int64 { max(latest, Self.microseconds(start.duration(to: .now))) }

  private static func microseconds(_ duration: Duration) -> Int64 {
    let (seconds, attoseconds) = duration.components
    return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
  }

  /// Microseconds, which may not be negative, as seconds with six decimals.
  private static func seconds(_ microseconds: Int64) -> String {
    let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
    return "\(seconds).\(String(rest + 1_000_000).dropFirst())"
  }
}
