import Spool

/// The mark of a route's next entry, and the mark up to which an earlier run has done the entries.
struct EntryMarks {
  /// The mark of the entry that comes next.
  private(set) var next = EntryMark.start
  /// All entries in front of this mark were settled or left out by an earlier run.
  let done: EntryMark

  /// Counts from the beginning.
  ///
  /// - Parameter done: what an earlier run has done.
  init(done: EntryMark = .start) { self.done = done }

  /// Goes on counting behind a mark that an earlier run had reached.
  mutating func begin(behind mark: EntryMark) { next = mark }

  /// Notes the place behind which the next entry became complete.
  @inline(__always)
  mutating func reach(_ place: UInt64) {
    if place != next.place { next = EntryMark(place: place, ordinal: 0) }
  }

  /// Advances past this many entries.
  @inline(__always)
  mutating func advance(by count: Int = 1) { next.ordinal &+= UInt32(truncatingIfNeeded: count) }

  /// Whether the next entry was done by an earlier run.
  @inline(__always)
  var isNextDone: Bool { next < done }

  /// Whether the next `count` entries were done by an earlier run.
  @inline(__always)
  func areNextDone(_ count: Int) -> Bool {
    guard isNextDone else { return false }
    return next.place < done.place || Int(next.ordinal) + count <= Int(done.ordinal)
  }

  /// The mark of a notice in front of the next entry, which isn't made of the log.
  var notice: EntryMark {
    next.ordinal > 0
      ? EntryMark(place: next.place, ordinal: next.ordinal - 1)
      : EntryMark(place: next.place > 0 ? next.place - 1 : 0, ordinal: .max - 1)
  }
}
