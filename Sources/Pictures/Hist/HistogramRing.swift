import Platform

/// What was measured: over all, and in the last minutes by intervals, so that one can see how it moved.
struct HistogramRing: ~Copyable {
  /// How long an interval is, and how many are kept: five minutes, and the one that is under way.
  static let intervalNanoseconds: Int64 = 10_000_000_000
  static let intervalCount = 31
  static let intervalsInMinute = 6

  private var total = Histogram()
  private var intervals: FixedList<Histogram>
  /// The one that is under way, and when it began.
  private var present = 0
  private var start: Int64

  init(at now: Int64) {
    start = now
    intervals = FixedList(count: Self.intervalCount) { _ in Histogram() }
  }

  /// Begins new intervals for those that are over.
  mutating func advance(to now: Int64) {
    // After a long sleep all are empty, and each needs to be cleared once.
    if now - start > Self.intervalNanoseconds * Int64(2 * Self.intervalCount) {
      for index in 0..<Self.intervalCount { intervals[index].clear() }
      start = now
    }
    while now - start >= Self.intervalNanoseconds {
      present = (present + 1) % Self.intervalCount
      intervals[present].clear()
      start += Self.intervalNanoseconds
    }
  }

  /// Adds a number in millionths.
  mutating func add(_ number: UInt64, isHit: Bool) {
    total.add(number, isHit: isHit)
    intervals[present].add(number, isHit: isHit)
  }

  /// Everything there was.
  func makeTotal() -> HistogramPicture { total.makePicture() }

  /// Some intervals, counted from the one under way, which is 0, backwards.
  func picture(of range: Range<Int>) -> HistogramPicture {
    var picture = HistogramPicture()
    for back in range where back < Self.intervalCount {
      picture.add(intervals[(present + Self.intervalCount - back) % Self.intervalCount])
    }
    return picture
  }
}
