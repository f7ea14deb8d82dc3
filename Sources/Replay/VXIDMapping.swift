/// Gives every transaction of a pass another number, and the same wherever it is named.
///
/// It remembers nothing: numbers move by one distance and begin again at 1 behind the largest, so that two
/// numbers stay different as long as they are no more than the whole range apart.
package struct VXIDMapping {
  private let largest: UInt64
  private let distance: UInt64

  /// Moves numbers by a distance, within 1 to `largest`.
  package init(distance: UInt64, largest: UInt64) {
    self.largest = largest
    self.distance = distance % largest
  }

  /// The number that takes a number's place; 0 means no transaction, and stays.
  @inline(__always)
  package func callAsFunction(_ number: UInt64) -> UInt64 {
    guard number > 0 else { return 0 }
    // Both are below 2⁶³.
    return (number - 1 + distance) % largest + 1
  }
}

/// The numbers that a pass has, so that the next can have others.
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
