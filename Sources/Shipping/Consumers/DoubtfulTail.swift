import Spool

/// The last of what a consumer's system has taken: as much as that system can hold unread, and would lose if the
/// consumer went without warning.
struct DoubtfulTail {
  /// How many bytes that are; 0 if what counts as taken was read.
  var byteCountMax = 0

  /// The entries in their order, put together to portions of some size.
  private var portions: [Tally] = []
  private var total = Tally.zero

  private static let portionCountUsual = 64

  /// Adds what was taken just now; what was taken long before has been read meanwhile.
  mutating func add(_ taken: Tally) {
    guard byteCountMax > 0, taken.entries > 0 else { return }
    total += taken
    if let last = portions.last, last.bytes < byteCountMax / Self.portionCountUsual {
      portions[portions.count - 1] = last + taken
    } else {
      portions.append(taken)
    }
    while let first = portions.first, total.bytes - first.bytes >= byteCountMax {
      total = total - first
      portions.removeFirst()
    }
  }

  /// Hands out what may be lost, and forgets it.
  mutating func removeAll() -> Tally {
    defer { (portions, total) = ([], .zero) }
    return total
  }
}
