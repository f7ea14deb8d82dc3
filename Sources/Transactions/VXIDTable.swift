/// A hash table from transaction numbers to small numbers: open addressing, linear probing, no tombstones.
///
/// Zero stands for an empty place, which works out because no transaction has the number 0.
struct VXIDTable {
  private var keys: [UInt64]
  private var values: [Int32]
  private(set) var count = 0

  init(capacity: Int = 64) {
    var size = 64
    while size < capacity * 2 { size *= 2 }
    keys = [UInt64](repeating: 0, count: size)
    values = [Int32](repeating: 0, count: size)
  }

  /// The value of a number; nil if it isn't there.
  subscript(vxid: UInt64) -> Int32? {
    var place = home(vxid)
    while keys[place] != 0 {
      if keys[place] == vxid { return values[place] }
      place = (place + 1) & (keys.count - 1)
    }
    return nil
  }

  /// Adds a number that isn't there yet and isn't 0.
  mutating func insert(_ vxid: UInt64, _ value: Int32) {
    if count * 2 >= keys.count { grow() }
    var place = home(vxid)
    while keys[place] != 0 { place = (place + 1) & (keys.count - 1) }
    keys[place] = vxid
    values[place] = value
    count += 1
  }

  /// Takes a number out.
  ///
  /// - Returns: whether it was there.
  @discardableResult
  mutating func remove(_ vxid: UInt64) -> Bool {
    var place = home(vxid)
    while keys[place] != vxid {
      if keys[place] == 0 { return false }
      place = (place + 1) & (keys.count - 1)
    }
    count -= 1
    // Close the hole: move back whatever could no longer be found past it.
    var hole = place
    while true {
      place = (place + 1) & (keys.count - 1)
      guard keys[place] != 0 else { break }
      let distanceToHome = (place &- home(keys[place])) & (keys.count - 1)
      let distanceToHole = (place &- hole) & (keys.count - 1)
      guard distanceToHome >= distanceToHole else { continue }
      keys[hole] = keys[place]
      values[hole] = values[place]
      hole = place
    }
    keys[hole] = 0
    return true
  }

  private func home(_ vxid: UInt64) -> Int {
    // Numbers are handed out in runs; the multiplication spreads them.
    let hash = vxid &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: hash >> 32) & (keys.count - 1)
  }

  private mutating func grow() {
    var larger = VXIDTable(capacity: keys.count)
    for (place, key) in keys.enumerated() where key != 0 { larger.insert(key, values[place]) }
    self = larger
  }
}
