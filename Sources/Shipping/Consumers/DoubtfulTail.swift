import Spool

/// The last of what a consumer's system has taken: as much as that system can hold unread, and would lose if the
/// consumer went without warning.
struct DoubtfulTail {
  /// How many bytes that are; 0 if what counts as taken was read.
  var byteCountMax = 0

  /// The entries in their order, put together to portions of some size.
  private var portions: [EntryStretch] = []
  private var byteCount = 0

  private static let portionCountUsual = 64

  /// Adds what was taken just now; what was taken long before has been read meanwhile.
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

  /// Hands out what may be lost, and forgets it.
  mutating func removeAll() -> [EntryStretch] {
    defer { (portions, byteCount) = ([], 0) }
    return portions
  }
}
