/// How many groups are let through in how much time: a bucket of credits that fills steadily
/// (`grouping.md` 5.1).
public struct RateLimit: Sendable, Equatable {
  /// How many groups.
  public let limit: Int
  /// In how many seconds.
  public let seconds: Double

  /// Lets `limit` groups through in `seconds`.
  public init(limit: Int, seconds: Double) {
    self.limit = limit
    self.seconds = seconds
  }
}

/// The bucket.
///
/// It has one credit when the program starts, independent of the limit, and fills from then on: also while there is
/// nothing to let through yet.
struct RateLimiter {
  private let limit: RateLimit
  private var credits = 1.0
  private var lastNanoseconds: Int64

  /// A bucket that begins to fill now, at a time of a steady clock.
  init(_ limit: RateLimit, at nanoseconds: Int64) {
    self.limit = limit
    lastNanoseconds = nanoseconds
  }

  /// Takes a credit at a time of the same clock, and returns whether there was one.
  mutating func admits(at nanoseconds: Int64) -> Bool {
    let elapsed = Double(nanoseconds - lastNanoseconds) / 1e9
    credits = min(Double(limit.limit), credits + elapsed * Double(limit.limit) / limit.seconds)
    lastNanoseconds = nanoseconds
    guard credits >= 1 else { return false }
    credits -= 1
    return true
  }
}
