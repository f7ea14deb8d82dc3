/// Memory for the records of open transactions, in blocks of few sizes.
///
/// Of the blocks of a size, the one given back last is handed out first, as it is in the processor's caches;
/// with very many open transactions most others aren't. `malloc` joins neighbours, and so looks at memory of
/// other transactions each time.
@safe struct StoreMemory: ~Copyable {
  // Invariant: `free` has an element for each number of units up to `unitsMax`; each is nil or leads to a block of
  // that size that isn't handed out, which begins with the way to the next one.

  private var free = unsafe [UnsafeMutableRawPointer?](repeating: nil, count: Self.unitsMax + 1)
  private var slabs = SlabMemory()

  /// A line of the processor's caches.
  private static var unit: Int { 64 }
  /// The most units that a block has; larger ones are rare, and come from `malloc`.
  private static var unitsMax: Int { 32 }

  /// Whether blocks of a size are given back with everything else at the end.
  static func owns(_ byteCount: Int) -> Bool { byteCount / unit <= unitsMax }

  /// The size of a block that has room for `count` bytes.
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
    return unsafe slabs.carve(byteCount)
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
}
