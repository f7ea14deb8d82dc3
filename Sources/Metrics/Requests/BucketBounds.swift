public import Shipping

/// The upper bounds of a histogram's buckets, which the buckets include.
public struct BucketBounds: Sendable, Hashable {
  /// The bounds in microseconds, the resolution of logs.
  let microseconds: [UInt64]
  /// The bounds in seconds, as they are written.
  let texts: [String]

  /// The largest number of bounds.
  static let countMax = 64
  /// The largest bound, in seconds.
  private static let secondsMax = 86400.0

  /// The default bounds, from a tenth of a millisecond, in which a hit is delivered, to ten seconds.
  public static let usual = BucketBounds(
    checked: [
      0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ])

  private init(checked seconds: [Double]) {
    microseconds = seconds.map { second in
      let exact = second * 1e6
      let nearest = exact.rounded()
      // A whole number of microseconds in decimal is a little more or less in binary.
      return UInt64(abs(exact - nearest) < 1e-6 * max(1, exact) ? nearest : exact.rounded(.down))
    }
    texts = seconds.map { "\($0)" }
  }

  /// Reads numbers of seconds, the smallest first.
  public init(_ texts: [String]) throws(OptionValueError) {
    var seconds: [Double] = []
    for text in texts {
      guard let second = Double(text), second >= 0.000_001, second <= Self.secondsMax else {
        throw OptionValueError(value: text, problem: "is not a number of seconds from 0.000001 to 86400")
      }
      guard seconds.last.map({ $0 < second }) ?? true else {
        throw OptionValueError(value: text, problem: "is not more than the bucket before")
      }
      seconds.append(second)
    }
    guard (1...Self.countMax).contains(seconds.count) else {
      throw OptionValueError(
        value: texts.joined(separator: ","), problem: "is not a list of 1 to \(Self.countMax) buckets")
    }
    self.init(checked: seconds)
  }

  /// The number of buckets, including the one above all bounds.
  var bucketCount: Int { microseconds.count + 1 }

  /// The bucket that a time belongs to.
  func bucket(of time: UInt64) -> Int {
    var (low, high) = (0, microseconds.count)
    while low < high {
      let middle = (low + high) / 2
      if microseconds[middle] < time { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
