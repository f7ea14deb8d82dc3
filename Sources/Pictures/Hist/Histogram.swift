/// Counts of numbers in logarithmic buckets, with hits counted separately.
///
/// Numbers are in millionths: times in microseconds, anything else in millionths of its unit. A bucket's
/// middle is within 1/64 of each number in it.
///
/// Sound because a bucket's number is below `LogBuckets.count`, and the memory has two halves of that size.
@safe struct Histogram: ~Copyable {
  static let buckets = LogBuckets(bits: 5, valueBits: 50)

  private let counts: UnsafeMutablePointer<UInt32>
  /// How many numbers there are, and the largest.
  private(set) var count = 0, largest: UInt64 = 0

  init() {
    unsafe counts = .allocate(capacity: 2 * Self.buckets.count)
    unsafe counts.initialize(repeating: 0, count: 2 * Self.buckets.count)
  }

  deinit { unsafe counts.deallocate() }

  /// Adds a number.
  mutating func add(_ number: UInt64, isHit: Bool) {
    let place = Self.buckets.index(of: number) + (isHit ? Self.buckets.count : 0)
    unsafe counts[place] &+= unsafe counts[place] == .max ? 0 : 1
    count += 1
    largest = max(largest, number)
  }

  /// Removes all numbers.
  mutating func clear() {
    guard count > 0 else { return }
    unsafe counts.update(repeating: 0, count: 2 * Self.buckets.count)
    (count, largest) = (0, 0)
  }

  /// A copy of the current counts.
  func makePicture() -> HistogramPicture {
    var picture = HistogramPicture()
    picture.add(self)
    return picture
  }

  /// How many numbers are in a bucket, and how many of them are hits.
  func counts(in bucket: Int) -> (all: Int, hits: Int) {
    let hits = unsafe Int(counts[Self.buckets.count + bucket])
    return unsafe (Int(counts[bucket]) + hits, hits)
  }
}

/// The sum of histograms at a moment.
package struct HistogramPicture: Sendable {
  /// For each bucket, how many numbers there are in it, and how many of them are hits.
  private(set) var all: [Int], hits: [Int]
  /// How many numbers there are, and the largest, in millionths.
  package private(set) var count = 0, largest: UInt64 = 0
  /// How many of them are hits.
  package var hitCount: Int { hits.reduce(0, +) }

  package init() {
    all = [Int](repeating: 0, count: Histogram.buckets.count)
    hits = all
  }

  mutating func add(_ histogram: borrowing Histogram) {
    guard histogram.count > 0 else { return }
    for bucket in all.indices {
      let counts = histogram.counts(in: bucket)
      all[bucket] += counts.all
      hits[bucket] += counts.hits
    }
    count += histogram.count
    largest = max(largest, histogram.largest)
  }

  /// The largest error of a percentile, relative to the percentile.
  package static var relativeError: Double { Histogram.buckets.relativeError }

  /// A quantile in millionths: the number that a part of all numbers doesn't exceed; nil if there are none.
  ///
  /// It is the middle of the bucket that has the number, but no more than the largest number added.
  package func quantile(_ part: Double) -> Double? {
    guard count > 0 else { return nil }
    var left = max(1, Int((part * Double(count)).rounded(.up)))
    for (bucket, number) in all.enumerated() {
      left -= number
      if left <= 0 { return min(Histogram.buckets.middle(of: bucket), Double(largest)) }
    }
    return Double(largest)
  }
}
