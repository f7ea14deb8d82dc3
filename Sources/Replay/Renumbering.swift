import LogReading
import Platform
import VarnishLog

/// Decides which numbers transactions get, so that each log has its own whenever it is played.
struct Renumbering {
  /// By how much numbers are moved of what is played next.
  private var distance: UInt64
  /// Whether anything was played already.
  private var hasPlayed = false
  private var sequence: NumberSequence?

  /// - Parameter isWanted: whether numbers are others from the beginning.
  init(isWanted: Bool) {
    // Half of the smaller range, by the time, so that the same log played again has other numbers.
    distance = isWanted ? UInt64(SystemClock.wallNanoseconds / 1_000_000) % (1 << 29) + 1 : 0
  }

  /// How numbers change in a log; nil if they don't.
  ///
  /// - Parameters:
  ///   - isMade: whether its transactions are made of the records of 2.0 to 3.0.
  ///   - place: which one it is of those that are played side by side, and how many these are.
  mutating func mapping(_ conversion: Conversion, isMade: Bool, place: (index: Int, count: Int))
    -> VXIDMapping?
  {
    let largest = conversion.largestVXID
    let slot = largest / UInt64(max(1, place.count)) * UInt64(place.index)
    guard distance > 0 || place.count > 1 || hasPlayed || conversion.narrows else { return nil }
    guard isMade else { return VXIDMapping(distance: (distance + slot) % largest, largest: largest) }
    // Between the numbers that such a log has itself and those that are made for it, if there is room.
    let sequence =
      self.sequence
      ?? NumberSequence(
        conversion.narrows ? 1...largest : 1 << 33...(1 << 48) - 1, distance: distance)
    self.sequence = sequence
    return VXIDMapping(NumberTable(sequence))
  }

  /// Takes note that logs were played side by side.
  ///
  /// - Parameter spanCount: how far apart the numbers were in one of them, at most.
  mutating func notePlayed(_ spanCount: UInt64) {
    // Both are below 2⁵²; a log takes of it what it has room for.
    distance = (distance + spanCount) % (1 << 51 - 1)
    hasPlayed = true
  }
}
