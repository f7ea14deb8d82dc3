/// Which entry of a run it is, told by the log alone: a run that reads the same records again, after a restart, gives
/// its entries the same marks.
///
/// Marks grow from entry to entry of an output.
@frozen public struct EntryMark: Comparable, Hashable, Sendable {
  /// Behind which place the log had been read when the entry became complete.
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

  /// In front of all entries.
  @inlinable public static var start: EntryMark { EntryMark(place: 0, ordinal: 0) }

  /// The mark of the next entry at the same place: all entries in front of it are those up to this one.
  public var next: EntryMark { EntryMark(place: place, ordinal: ordinal &+ 1) }

  /// Whether an entry comes in front of another.
  @inlinable public static func < (one: EntryMark, other: EntryMark) -> Bool {
    one.place == other.place ? one.ordinal < other.ordinal : one.place < other.place
  }
}
