import Spool

/// The entries that a consumer's system has taken last: as many as that system can hold unread, and would
/// lose if the consumer ended abruptly.
struct DoubtfulTail {
  /// How many bytes that system can hold; 0 if bytes that count as taken were read.
  var byteCountMax = 0

  /// The entries in their order, combined into portions.
  private var portions: [EntryStretch] = []
  private var byteCount = 0

  private static let portionCountUsual = 64

  /// Adds entries taken just now; entries taken long before have been read meanwhile.
  mutating func add(_ taken: EntryStretch) {
    guard byteCountMax > 0, taken.tally.entries > 0 else { return }
    byteCount += taken.tally.bytes
    let last = portions.count - 1
    if portions.isEmpty || portions[last].tally.bytes >= byteCountMax / Self.portionCountUsual
      || !portions[last].extend(by: taken)
    {
      portions.append(taken)
    }
    while let first = portions.first, byteCount - first.tally.bytes >= byteCountMax {
      byteCount -= first.tally.bytes
      portions.removeFirst()
    }
  }

  /// Returns the entries that may be lost, and forgets them.
  mutating func removeAll() -> [EntryStretch] {
    defer { (portions, byteCount) = ([], 0) }
    return portions
  }
}
