/// A number of whole records and of the bytes in them.
public struct Tally: Sendable, Equatable {
  /// How many whole records.
  public var records: Int
  /// How many bytes these records have, newlines included.
  public var bytes: Int

  /// Nothing.
  public static let zero = Tally(records: 0, bytes: 0)

  /// A tally of known numbers.
  public init(records: Int, bytes: Int) {
    self.records = records
    self.bytes = bytes
  }

  /// Both numbers added.
  public static func + (left: Tally, right: Tally) -> Tally {
    Tally(records: left.records + right.records, bytes: left.bytes + right.bytes)
  }

  /// Both numbers subtracted.
  public static func - (left: Tally, right: Tally) -> Tally {
    Tally(records: left.records - right.records, bytes: left.bytes - right.bytes)
  }

  /// Adds both numbers.
  public static func += (left: inout Tally, right: Tally) { left = left + right }
}
