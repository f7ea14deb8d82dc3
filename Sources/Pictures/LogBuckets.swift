/// Buckets whose width grows with what falls into them: each power of two is cut into equal parts.
///
/// The middle of a bucket is off by no more than half of its width, which is the stated error: with 2^n parts that is one
/// part in 2^(n+1) of the number. Numbers below 2^n have buckets of their own.
package struct LogBuckets: Sendable {
  /// Into how many parts a power of two is cut: so many bits.
  package let bits: Int
  /// How many buckets there are.
  package let count: Int

  /// Buckets for numbers below a power of two; larger ones fall into the last.
  package init(bits: Int, valueBits: Int) {
    self.bits = bits
    count = (valueBits - bits + 1) << bits
  }

  /// The largest part of a number that the middle of its bucket is off by.
  package var relativeError: Double { 1 / Double(2 << bits) }

  /// The bucket of a number.
  package func index(of value: UInt64) -> Int {
    guard value >= 1 << UInt64(bits) else { return Int(value) }
    let power = 63 - value.leadingZeroBitCount
    // The bits behind the first one.
    let part = Int(truncatingIfNeeded: value >> UInt64(power - bits)) & (1 << bits - 1)
    return min((power - bits + 1) << bits | part, count - 1)
  }

  /// The least number of a bucket.
  package func lowerBound(of index: Int) -> UInt64 {
    guard index >= 1 << bits else { return UInt64(max(0, index)) }
    let power = UInt64(index >> bits - 1)
    return UInt64(1 << bits | index & (1 << bits - 1)) << power
  }

  /// The number that stands for those of a bucket.
  package func middle(of index: Int) -> Double {
    let low = lowerBound(of: index)
    return Double(low) + Double(lowerBound(of: index + 1) - low - 1) / 2
  }
}
