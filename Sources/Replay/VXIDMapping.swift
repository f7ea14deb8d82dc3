/// Gives every transaction of a log another number, the same wherever the number occurs.
package struct VXIDMapping {
  private let largest: UInt64
  private let distance: UInt64
  private let table: NumberTable?

  /// Moves numbers by a distance, within 1 to `largest`.
  ///
  /// It keeps no state: after the largest number comes 1 again, so that two numbers stay different as long as
  /// they are less than the whole range apart.
  package init(distance: UInt64, largest: UInt64) {
    self.largest = largest
    self.distance = distance % largest
    table = nil
  }

  /// Takes numbers from a table.
  init(_ table: NumberTable) {
    (largest, distance) = (1, 0)
    self.table = table
  }

  /// The new number for a number; 0, which means no transaction, stays 0.
  @inline(__always)
  package func callAsFunction(_ number: UInt64) -> UInt64 {
    guard number > 0 else { return 0 }
    if let table { return table.number(for: number) }
    // Both are below 2⁶³.
    return (number - 1 + distance) % largest + 1
  }
}

/// The range of the numbers of a log's transactions, so that the next log can get other numbers.
struct VXIDSpan {
  private var least = UInt64.max
  private var greatest: UInt64 = 0

  /// The size of the range; 0 if there were no numbers.
  var count: UInt64 { greatest >= least ? greatest - least + 1 : 0 }

  @inline(__always)
  mutating func note(_ number: UInt64) {
    least = min(least, number)
    greatest = max(greatest, number)
  }
}
