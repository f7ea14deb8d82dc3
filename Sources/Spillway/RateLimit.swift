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
/// It starts with one credit, whatever the limit.
struct RateLimiter {
  private let limit: RateLimit
  private var credits = 1.0
  private var lastNanoseconds: Int64?

  init(_ limit: RateLimit) { self.limit = limit }

  /// Whether one more may pass at a time on a steady clock.
  mutating func admits(at nanoseconds: Int64) -> Bool {
    if let lastNanoseconds {
      let elapsed = Double(nanoseconds - lastNanoseconds) / 1e9
      credits = min(Double(limit.limit), credits + elapsed * Double(limit.limit) / limit.seconds)
    }
    lastNanoseconds = nanoseconds
    guard credits >= 1 else { return false }
    credits -= 1
    return true
  }
}
