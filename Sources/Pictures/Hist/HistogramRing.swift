import Platform

/// All numbers of a measure, and those of the last minutes by intervals, so that changes can be shown.
struct HistogramRing: ~Copyable {
  /// The length of an interval, and the number of intervals kept: five minutes and the current one.
  static let intervalNanoseconds: Int64 = 10_000_000_000
  static let intervalCount = 31
  static let intervalsInMinute = 6

  private var total = Histogram()
  private var intervals: FixedList<Histogram>
  /// The current interval, and when it began.
  private var present = 0
  private var start: Int64

  init(at now: Int64) {
    start = now
    intervals = FixedList(count: Self.intervalCount) { _ in Histogram() }
  }

  /// Begins new intervals for those that have ended.
  mutating func advance(to now: Int64) {
    // After a long pause all intervals are empty, and it is enough to clear each once.
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

  /// All numbers.
  func makeTotal() -> HistogramPicture { total.makePicture() }

  /// The numbers of some intervals, counted backwards from the current one, which is 0.
  func picture(of range: Range<Int>) -> HistogramPicture {
    var picture = HistogramPicture()
    for back in range where back < Self.intervalCount {
      picture.add(intervals[(present + Self.intervalCount - back) % Self.intervalCount])
    }
    return picture
  }
}
