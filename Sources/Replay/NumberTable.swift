/// Numbers that are given one after the other, and begin again behind the last.
package final class NumberSequence {
  private let range: ClosedRange<UInt64>
  private var upcoming: UInt64

  /// - Parameter distance: how far behind the first number to begin.
  package init(_ range: ClosedRange<UInt64>, distance: UInt64) {
    self.range = range
    upcoming = range.lowerBound + distance % (range.upperBound - range.lowerBound + 1)
  }

  func next() -> UInt64 {
    defer { upcoming = upcoming < range.upperBound ? upcoming + 1 : range.lowerBound }
    return upcoming
  }
}

/// Gives transactions new numbers in the order in which they are named first.
///
/// The transactions of a log of 2.0 to 3.0 have numbers that say what they are made of, and are spread over all that
/// there are: moved by a distance, or cut to fewer bits, those of two kinds could become the same.
package final class NumberTable {
  private let sequence: NumberSequence
  private var known: [UInt64: UInt64] = [:]
  private var former: [UInt64: UInt64] = [:]

  /// So many are known at least; what belongs together is never so far apart.
  private static let knownCountMax = 1 << 18

  /// A table that knows nothing yet; several may take their numbers from one sequence.
  package init(_ sequence: NumberSequence) { self.sequence = sequence }

  /// The number that takes a number's place.
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
