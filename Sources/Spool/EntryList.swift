/// Whole entries that lie one after the other.
public struct EntryList: Sendable, Equatable {
  /// The bytes of all of them.
  public var bytes: [UInt8]
  /// The offset at which each of them ends, the last one at the end.
  public var ends: [Int]
  /// The marks of the entries; empty if they have none.
  public var marks: [EntryMark]

  /// Entries given by their bytes and ends.
  public init(bytes: [UInt8], ends: [Int], marks: [EntryMark] = []) {
    self.bytes = bytes
    self.ends = ends
    self.marks = marks
  }

  /// The number of entries.
  public var count: Int { ends.count }

  /// The mark of an entry.
  package func mark(of index: Int) -> EntryMark { index < marks.count ? marks[index] : .start }

  /// The tally of some of the entries.
  package func tally(_ range: Range<Int>) -> Tally {
    guard !range.isEmpty else { return .zero }
    let start = range.lowerBound == 0 ? 0 : ends[range.lowerBound - 1]
    return Tally(entries: range.count, bytes: ends[range.upperBound - 1] - start)
  }
}
