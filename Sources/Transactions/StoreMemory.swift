/// Memory for the records of open transactions, in blocks of few sizes.
///
/// The block of a size that was given back last is handed out first, as it is in the processor's caches; with very
/// many open transactions most others aren't. `malloc` joins neighbours, and so looks at memory of other transactions
/// each time.
@safe struct StoreMemory: ~Copyable {
  // Invariant: `free` has an element for each number of units up to `unitsMax`; each is nil or leads to a block of
  // that size that isn't handed out, which begins with the way to the next one. From `position` on, `left` bytes of
  // the last slab have never been handed out.

  private var free = unsafe [UnsafeMutableRawPointer?](repeating: nil, count: Self.unitsMax + 1)
  private var slabs: [UnsafeMutableRawPointer] = unsafe []
  private var position: UnsafeMutableRawPointer?
  private var left = 0

  /// A line of the processor's caches.
  private static var unit: Int { 64 }
  /// What is larger is rare, and goes to `malloc`.
  private static var unitsMax: Int { 32 }
  private static var slabByteCount: Int { 64 << 10 }

  deinit {
    for index in unsafe slabs.indices { unsafe slabs[index].deallocate() }
  }

  /// Whether blocks of a size are given back with everything else at the end.
  static func owns(_ byteCount: Int) -> Bool { byteCount / unit <= unitsMax }

  /// The size of a block that has room for so many bytes.
  static func blockByteCount(for count: Int) -> Int { (count + unit - 1) & ~(unit - 1) }

  /// Hands out a block.
  ///
  /// - Parameter byteCount: what `blockByteCount` says; not 0.
  mutating func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    guard Self.owns(byteCount) else { return .allocate(byteCount: byteCount, alignment: Self.unit) }
    let units = byteCount / Self.unit
    if let block = unsafe free[units] {
      unsafe free[units] = unsafe block.load(as: UnsafeMutableRawPointer?.self)
      return unsafe block
    }
    return unsafe carve(byteCount)
  }

  /// Takes a block back.
  ///
  /// - Parameter byteCount: its size.
  mutating func take(back block: UnsafeMutableRawPointer, _ byteCount: Int) {
    guard Self.owns(byteCount) else { return unsafe block.deallocate() }
    let units = byteCount / Self.unit
    unsafe block.storeBytes(of: free[units], as: UnsafeMutableRawPointer?.self)
    unsafe free[units] = unsafe block
  }

  @inline(never)
  private mutating func carve(_ byteCount: Int) -> UnsafeMutableRawPointer {
    guard let block = unsafe position, byteCount <= left else {
      // What is left of the last one is less than a large block, and lost.
      let slab = UnsafeMutableRawPointer.allocate(byteCount: Self.slabByteCount, alignment: Self.unit)
      unsafe slabs.append(slab)
      unsafe position = unsafe slab + byteCount
      left = Self.slabByteCount - byteCount
      return unsafe slab
    }
    unsafe position = unsafe block + byteCount
    left -= byteCount
    return unsafe block
  }
}
