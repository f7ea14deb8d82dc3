/// A place in a log: in front of a record, or behind the last one.
///
/// Within an incarnation positions grow from record to record and never wrap. Between incarnations they can't
/// be compared, and `distance` and `precedes` answer nil.
public struct LogPosition: Hashable, Sendable {
  /// The log that it is a position of.
  public let incarnation: LogIncarnation
  /// Bytes from the log's beginning, at most `placeMax`.
  ///
  /// In a compressed file these are decoded bytes. In a ring they are all bytes that it has had room for
  /// since it was made, with those that a turn left unused at its end.
  public let place: UInt64

  /// Far more than a log can hold, and small enough to calculate with.
  public static let placeMax: UInt64 = 1 << 62

  /// Makes a position; a place beyond `placeMax` is taken as that.
  public init(_ incarnation: LogIncarnation, place: UInt64) {
    self.incarnation = incarnation
    self.place = min(place, Self.placeMax)
  }

  /// How many bytes another position is behind this one, negative if it is in front of it; nil if it is of
  /// another incarnation.
  public func distance(to other: LogPosition) -> Int64? {
    guard incarnation == other.incarnation else { return nil }
    // Neither is more than `placeMax`, so both conversions and the difference are exact.
    return Int64(other.place) - Int64(place)
  }

  /// Whether this position is in front of another one; nil if that is of another incarnation.
  public func precedes(_ other: LogPosition) -> Bool? {
    distance(to: other).map { $0 > 0 }
  }
}
