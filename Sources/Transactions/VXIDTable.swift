/// A hash table from transaction numbers to small numbers: open addressing, linear probing, no tombstones.
///
/// Zero stands for an empty place, which works out because no transaction has the number 0.
struct VXIDTable {
  /// Side by side, as one is hardly looked at without the other.
  private var entries: [Entry]
  private(set) var count = 0

  private struct Entry {
    var key: UInt64 = 0
    var value: Int32 = 0
  }

  init(capacity: Int = 64) {
    var size = 64
    while size < capacity * 2 { size *= 2 }
    entries = [Entry](repeating: Entry(), count: size)
  }

  /// The value of a number; nil if it isn't there.
  subscript(vxid: UInt64) -> Int32? {
    var place = home(vxid)
    while true {
      let entry = entries[place]
      if entry.key == vxid { return entry.value }
      if entry.key == 0 { return nil }
      place = (place + 1) & (entries.count - 1)
    }
  }

  /// Adds a number that isn't there yet and isn't 0.
  mutating func insert(_ vxid: UInt64, _ value: Int32) {
    if count * 2 >= entries.count { grow() }
    var place = home(vxid)
    while entries[place].key != 0 { place = (place + 1) & (entries.count - 1) }
    entries[place] = Entry(key: vxid, value: value)
    count += 1
  }

  /// Takes a number out.
  ///
  /// - Returns: whether it was there.
  @discardableResult
  mutating func remove(_ vxid: UInt64) -> Bool {
    var place = home(vxid)
    while entries[place].key != vxid {
      if entries[place].key == 0 { return false }
      place = (place + 1) & (entries.count - 1)
    }
    count -= 1
    // Close the hole: move back whatever could no longer be found past it.
    var hole = place
    while true {
      place = (place + 1) & (entries.count - 1)
      guard entries[place].key != 0 else { break }
      let distanceToHome = (place &- home(entries[place].key)) & (entries.count - 1)
      let distanceToHole = (place &- hole) & (entries.count - 1)
      guard distanceToHome >= distanceToHole else { continue }
      entries[hole] = entries[place]
      hole = place
    }
    entries[hole].key = 0
    return true
  }

  private func home(_ vxid: UInt64) -> Int {
    // Numbers are handed out in runs; the multiplication spreads them.
    let hash = vxid &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: hash >> 32) & (entries.count - 1)
  }

  private mutating func grow() {
    var larger = VXIDTable(capacity: entries.count)
    for entry in entries where entry.key != 0 { larger.insert(entry.key, entry.value) }
    self = larger
  }
}
