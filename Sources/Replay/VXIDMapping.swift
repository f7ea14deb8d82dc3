/// Gives every transaction of a log another number, and the same wherever it is named.
package struct VXIDMapping {
  private let largest: UInt64
  private let distance: UInt64
  private let table: NumberTable?

  /// Moves numbers by a distance, within 1 to `largest`.
  ///
  /// Nothing is remembered: numbers begin again at 1 behind the largest, so that two numbers stay different as long as
  /// they are no more than the whole range apart.
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

  /// The number that takes a number's place; 0 means no transaction, and stays.
  @inline(__always)
  package func callAsFunction(_ number: UInt64) -> UInt64 {
    guard number > 0 else { return 0 }
    if let table { return table.number(for: number) }
    // Both are below 2⁶³.
    return (number - 1 + distance) % largest + 1
  }
}

/// The numbers that a log's transactions have, so that what is played next can have others.
struct VXIDSpan {
  private var least = UInt64.max
  private var greatest: UInt64 = 0

  /// How far apart they are; 0 if there were none.
  var count: UInt64 { greatest >= least ? greatest - least + 1 : 0 }

  @inline(__always)
  mutating func note(_ number: UInt64) {
    least = min(least, number)
    greatest = max(greatest, number)
  }
}
