/// Identifies an entry by its place in the log alone: a run that reads the same records again, after a
/// restart, gives its entries the same marks.
///
/// Marks grow from entry to entry of an output.
@frozen public struct EntryMark: Comparable, Hashable, Sendable {
  /// The place up to which the log had been read when the entry became complete.
  ///
  /// Places are counted through all logs that a run and those it goes on for have read, and never wrap.
  public var place: UInt64
  /// How many entries the output was offered at the same place before this one.
  public var ordinal: UInt32

  /// The mark of an entry.
  @inlinable public init(place: UInt64, ordinal: UInt32) {
    self.place = place
    self.ordinal = ordinal
  }

  /// The mark in front of all entries.
  @inlinable public static var start: EntryMark { EntryMark(place: 0, ordinal: 0) }

  /// The mark of the next entry at the same place: all entries up to this one are in front of it.
  public var next: EntryMark { EntryMark(place: place, ordinal: ordinal &+ 1) }

  /// Whether an entry comes in front of another.
  @inlinable public static func < (one: EntryMark, other: EntryMark) -> Bool {
    one.place == other.place ? one.ordinal < other.ordinal : one.place < other.place
  }
}
