@testable import Pipeline
import Testing

/// How many groups the limiter lets pass, by a clock that the test sets.
struct RateLimiterTests {
  private static let second: Int64 = 1_000_000_000

  /// How many of a hundred groups pass at a given time.
  private static func passing(_ limiter: inout RateLimiter, at seconds: Int64) -> Int {
    (0..<100).count { _ in limiter.admits(at: seconds * second) }
  }

  @Test func `the bucket fills from the start of the program on, not from the first group`() {
    for (wait, expected) in [(Int64(0), 1), (1, 11), (2, 20), (3, 20), (1000, 20)] {
      var limiter = RateLimiter(RateLimit(limit: 20, seconds: 2), at: 5 * Self.second)
      #expect(Self.passing(&limiter, at: 5 + wait) == expected, "\(wait)")
    }
  }

  @Test func `a long duration gives its first after its share of the time`() {
    var limiter = RateLimiter(RateLimit(limit: 2, seconds: 600), at: 0)
    #expect(Self.passing(&limiter, at: 0) == 1)
    #expect(Self.passing(&limiter, at: 299) == 0)
    #expect(Self.passing(&limiter, at: 300) == 1)
    #expect(Self.passing(&limiter, at: 9000) == 2)
  }

  @Test func `a limit of one never lets two through at once`() {
    var limiter = RateLimiter(RateLimit(limit: 1, seconds: 1), at: 0)
    for second in Int64(10)..<20 { #expect(Self.passing(&limiter, at: second) == 1) }
  }
}
