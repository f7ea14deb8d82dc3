/// A number of whole entries and of the bytes in them.
public struct Tally: Sendable, Equatable {
  /// How many whole entries.
  public var entries: Int
  /// How many bytes these entries have, newlines included.
  public var bytes: Int

  /// Nothing.
  public static let zero = Tally(entries: 0, bytes: 0)

  /// A tally of known numbers.
  public init(entries: Int, bytes: Int) {
    self.entries = entries
    self.bytes = bytes
  }

  /// Both numbers added.
  public static func + (left: Tally, right: Tally) -> Tally {
    Tally(entries: left.entries + right.entries, bytes: left.bytes + right.bytes)
  }

  /// Both numbers subtracted.
  public static func - (left: Tally, right: Tally) -> Tally {
    Tally(entries: left.entries - right.entries, bytes: left.bytes - right.bytes)
  }

  /// Adds both numbers.
  public static func += (left: inout Tally, right: Tally) { left = left + right }
}
