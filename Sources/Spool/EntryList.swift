/// Whole entries that lie one after the other.
public struct EntryList: Sendable, Equatable {
  /// The bytes of all of them.
  public var bytes: [UInt8]
  /// The offset at which each of them ends, the last one at the end.
  public var ends: [Int]

  /// Entries whose ends are known.
  public init(bytes: [UInt8], ends: [Int]) {
    self.bytes = bytes
    self.ends = ends
  }

  /// How many they are.
  public var count: Int { ends.count }

  /// How many some of them are, and how large.
  package func tally(_ range: Range<Int>) -> Tally {
    guard !range.isEmpty else { return .zero }
    let start = range.lowerBound == 0 ? 0 : ends[range.lowerBound - 1]
    return Tally(entries: range.count, bytes: ends[range.upperBound - 1] - start)
  }
}
