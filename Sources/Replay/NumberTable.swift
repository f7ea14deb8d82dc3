/// The numbers of a range one after the other, starting over after the last.
package final class NumberSequence {
  private let range: ClosedRange<UInt64>
  private var upcoming: UInt64

  /// - Parameter distance: how far after the range's first number to begin.
  package init(_ range: ClosedRange<UInt64>, distance: UInt64) {
    self.range = range
    upcoming = range.lowerBound + distance % (range.upperBound - range.lowerBound + 1)
  }

  func next() -> UInt64 {
    defer { upcoming = upcoming < range.upperBound ? upcoming + 1 : range.lowerBound }
    return upcoming
  }
}

/// Gives transactions new numbers in the order in which they first occur.
///
/// In a log of 2.0 to 3.0, a transaction's number says from what it is made, and the numbers are spread over
/// the whole range: if they were shifted by a distance, or cut to fewer bits, numbers of two kinds could
/// become equal.
package final class NumberTable {
  private let sequence: NumberSequence
  private var known: [UInt64: UInt64] = [:]
  private var former: [UInt64: UInt64] = [:]

  /// At least this many numbers are remembered; related transactions are never so far apart.
  private static let knownCountMax = 1 << 18

  /// An empty table; several tables may share a sequence.
  package init(_ sequence: NumberSequence) { self.sequence = sequence }

  /// The new number for a number.
  package func number(for number: UInt64) -> UInt64 {
    if let known = known[number] { return known }
    let new = former[number] ?? sequence.next()
    if known.count >= Self.knownCountMax {
      former = known
      known = [:]
    }
    known[number] = new
    return new
  }
}
