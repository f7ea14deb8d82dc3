/// Buckets whose width grows with their numbers: each power of two is divided into equal parts.
///
/// A number differs from its bucket's middle by at most half the bucket's width, which is the stated error:
/// with 2^n parts that is one part in 2^(n+1) of the number. Each number below 2^n has a bucket of its own.
package struct LogBuckets: Sendable {
  /// The number of parts of a power of two, as a number of bits.
  package let bits: Int
  /// The number of buckets.
  package let count: Int

  /// Makes buckets for numbers below a power of two; larger numbers go into the last bucket.
  package init(bits: Int, valueBits: Int) {
    self.bits = bits
    count = (valueBits - bits + 1) << bits
  }

  /// The largest difference between a number and its bucket's middle, relative to the number.
  package var relativeError: Double { 1 / Double(2 << bits) }

  /// The bucket of a number.
  package func index(of value: UInt64) -> Int {
    guard value >= 1 << UInt64(bits) else { return Int(value) }
    let power = 63 - value.leadingZeroBitCount
    // The bits after the first one.
    let part = Int(truncatingIfNeeded: value >> UInt64(power - bits)) & (1 << bits - 1)
    return min((power - bits + 1) << bits | part, count - 1)
  }

  /// The least number of a bucket.
  package func lowerBound(of index: Int) -> UInt64 {
    guard index >= 1 << bits else { return UInt64(max(0, index)) }
    let power = UInt64(index >> bits - 1)
    return UInt64(1 << bits | index & (1 << bits - 1)) << power
  }

  /// The number by which a bucket's numbers are represented.
  package func middle(of index: Int) -> Double {
    let low = lowerBound(of: index)
    return Double(low) + Double(lowerBound(of: index + 1) - low - 1) / 2
  }
}
