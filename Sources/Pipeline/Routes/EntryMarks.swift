import Spool

/// Which entry of a route comes next, and which ones an earlier run has done.
struct EntryMarks {
  /// The mark of the entry that comes next.
  private(set) var next = EntryMark.start
  /// All entries in front of it are where they have to be, or were left out, since an earlier run.
  let done: EntryMark

  /// Counts from the beginning.
  ///
  /// - Parameter done: what an earlier run has done.
  init(done: EntryMark = .start) { self.done = done }

  /// Counts from where an earlier run had come.
  mutating func begin(behind mark: EntryMark) { next = mark }

  /// What comes next became complete behind this place of the logs.
  @inline(__always)
  mutating func reach(_ place: UInt64) {
    if place != next.place { next = EntryMark(place: place, ordinal: 0) }
  }

  /// Goes past so many entries.
  @inline(__always)
  mutating func advance(by count: Int = 1) { next.ordinal &+= UInt32(truncatingIfNeeded: count) }

  /// Whether the next entry was done by an earlier run.
  @inline(__always)
  var isNextDone: Bool { next < done }

  /// Whether so many entries were.
  @inline(__always)
  func areNextDone(_ count: Int) -> Bool {
    guard isNextDone else { return false }
    return next.place < done.place || Int(next.ordinal) + count <= Int(done.ordinal)
  }

  /// The mark of something that stands in front of the next entry and isn't made of the log.
  var notice: EntryMark {
    next.ordinal > 0
      ? EntryMark(place: next.place, ordinal: next.ordinal - 1)
      : EntryMark(place: next.place > 0 ? next.place - 1 : 0, ordinal: .max - 1)
  }
}
