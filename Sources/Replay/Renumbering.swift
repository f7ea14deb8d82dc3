import LogReading
import Platform
import VarnishLog

/// Decides which numbers transactions get, so that logs don't share numbers, nor does a log in two passes.
struct Renumbering {
  /// By how much the numbers of the next log are shifted.
  private var distance: UInt64
  /// Whether any log was played already.
  private var hasPlayed = false
  private var sequence: NumberSequence?

  /// - Parameter isWanted: whether numbers change from the first log on.
  init(isWanted: Bool) {
    // A distance in half of the smaller range, from the clock, so that replaying the same log again gives
    // other numbers.
    distance = isWanted ? UInt64(SystemClock.wallNanoseconds / 1_000_000) % (1 << 29) + 1 : 0
  }

  /// The mapping for a log's numbers; nil if they don't change.
  ///
  /// - Parameters:
  ///   - isMade: whether the log's transactions are made from records of 2.0 to 3.0.
  ///   - place: the log's index among those that are played side by side, and their number.
  mutating func mapping(_ conversion: Conversion, isMade: Bool, place: (index: Int, count: Int))
    -> VXIDMapping?
  {
    let largest = conversion.largestVXID
    let slot = largest / UInt64(max(1, place.count)) * UInt64(place.index)
    guard distance > 0 || place.count > 1 || hasPlayed || conversion.narrows else { return nil }
    guard isMade else { return VXIDMapping(distance: (distance + slot) % largest, largest: largest) }
    // Between the numbers that such a log has itself and those that are made for it, if the live log's range
    // allows.
    let sequence =
      self.sequence
      ?? NumberSequence(
        conversion.narrows ? 1...largest : 1 << 33...(1 << 48) - 1, distance: distance)
    self.sequence = sequence
    return VXIDMapping(NumberTable(sequence))
  }

  /// Notes that logs were played side by side.
  ///
  /// - Parameter spanCount: the largest size of a log's range of numbers.
  mutating func notePlayed(_ spanCount: UInt64) {
    // Both are below 2⁵²; a log takes of it what it has room for.
    distance = (distance + spanCount) % (1 << 51 - 1)
    hasPlayed = true
  }
}
