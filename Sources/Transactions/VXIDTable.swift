import CShims

/// A hash table from transaction numbers to small numbers: open addressing, linear probing, no tombstones.
///
/// Zero stands for an empty place, as no transaction has the number 0.
@safe struct VXIDTable: ~Copyable {
  // Invariant: `entries` has `mask + 1` elements, a power of two and more than `count`, all initialised; an index is
  // always `& mask`, so that it needs no other check.

  /// Numbers and values side by side, as they are nearly always looked at together.
  private var entries: UnsafeMutablePointer<Entry>
  private var mask: Int
  private(set) var count = 0

  private struct Entry {
    var key: UInt64 = 0
    var value: Int32 = 0
  }

  init() { self.init(size: 64) }

  /// - Parameter size: how many places there are; a power of two.
  private init(size: Int) {
    mask = size - 1
    let memory = unsafe BlockMemory.allocate(size * MemoryLayout<Entry>.stride)
    unsafe entries = memory.bindMemory(to: Entry.self, capacity: size)
    unsafe entries.initialize(repeating: Entry(), count: size)
  }

  deinit { unsafe BlockMemory.deallocate(entries) }

  /// The value of a number; nil if it isn't there.
  subscript(vxid: UInt64) -> Int32? {
    @inline(__always)
    get {
      var place = home(vxid)
      while true {
        let entry = unsafe entries[place]
        if entry.key == vxid { return entry.value }
        if entry.key == 0 { return nil }
        place = (place &+ 1) & mask
      }
    }
  }

  /// Adds a number that isn't there yet and isn't 0.
  mutating func insert(_ vxid: UInt64, _ value: Int32) {
    if count * 2 > mask { grow() }
    var place = home(vxid)
    while unsafe entries[place].key != 0 { place = (place &+ 1) & mask }
    unsafe entries[place] = Entry(key: vxid, value: value)
    count += 1
  }

  /// Takes a number out.
  ///
  /// - Returns: whether it was there.
  @discardableResult
  mutating func remove(_ vxid: UInt64) -> Bool {
    var place = home(vxid)
    while unsafe entries[place].key != vxid {
      if unsafe entries[place].key == 0 { return false }
      place = (place &+ 1) & mask
    }
    count -= 1
    // Close the hole: move back what could no longer be found past it.
    var hole = place
    while true {
      place = (place &+ 1) & mask
      let entry = unsafe entries[place]
      guard entry.key != 0 else { break }
      let distanceToHome = (place &- home(entry.key)) & mask
      let distanceToHole = (place &- hole) & mask
      guard distanceToHome >= distanceToHole else { continue }
      unsafe entries[hole] = entry
      hole = place
    }
    unsafe entries[hole].key = 0
    return true
  }

  /// Prefetches the place of a number.
  func prefetch(_ vxid: UInt64) { unsafe shim_prefetch(entries + home(vxid)) }

  @inline(__always)
  private func home(_ vxid: UInt64) -> Int {
    // Numbers are handed out in runs; the multiplication spreads them.
    let hash = vxid &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: hash >> 32) & mask
  }

  @inline(never)
  private mutating func grow() {
    var larger = VXIDTable(size: (mask + 1) * 2)
    for place in 0...mask {
      let entry = unsafe entries[place]
      if entry.key != 0 { larger.insert(entry.key, entry.value) }
    }
    self = larger
  }
}
