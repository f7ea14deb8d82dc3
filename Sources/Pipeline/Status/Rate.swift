/// The rate at which a count grows, over the last seconds.
struct Rate: Sendable {
  private struct Sample: Sendable {
    let nanoseconds: Int64
    let count: Int
  }

  /// The oldest sample first; never more than the window has room for.
  private var samples: [Sample] = []

  private static let windowNanoseconds: Int64 = 5_000_000_000
  private static let spacingNanoseconds: Int64 = 500_000_000

  /// Notes the present count; a smaller count than before means that counting has begun again.
  mutating func note(_ count: Int, at nanoseconds: Int64) {
    if let last = samples.last, count < last.count { samples = [] }
    if samples.count > 1, nanoseconds - samples[samples.count - 2].nanoseconds < Self.spacingNanoseconds {
      samples.removeLast()
    }
    samples.append(Sample(nanoseconds: nanoseconds, count: count))
    // The first one lies at the window's edge or before it.
    while samples.count > 2, nanoseconds - samples[1].nanoseconds >= Self.windowNanoseconds {
      samples.removeFirst()
    }
  }

  /// The rate per second; nil as long as it isn't known.
  var perSecond: Double? {
    guard let first = samples.first, let last = samples.last, last.nanoseconds > first.nanoseconds else {
      return nil
    }
    return Double(last.count - first.count) / (Double(last.nanoseconds - first.nanoseconds) / 1e9)
  }
}
