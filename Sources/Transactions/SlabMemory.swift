/// Memory that is handed out piece by piece and given back as a whole, from slabs that become larger the more
/// memory there is.
@safe struct SlabMemory: ~Copyable {
  // Invariant: from `position` on, `left` bytes of the last slab have never been handed out.

  private var slabs: [UnsafeMutableRawPointer] = unsafe []
  private var position: UnsafeMutableRawPointer?
  private var left = 0
  private var slabByteCount = 32 << 10

  deinit {
    for index in unsafe slabs.indices { unsafe BlockMemory.deallocate(slabs[index]) }
  }

  /// Hands out a piece of memory.
  ///
  /// - Parameter byteCount: a multiple of a cache line's 64 bytes, at which the piece begins, too.
  mutating func carve(_ byteCount: Int) -> UnsafeMutableRawPointer {
    guard let block = unsafe position, byteCount <= left else { return unsafe begin(byteCount) }
    unsafe position = unsafe block + byteCount
    left -= byteCount
    return unsafe block
  }

  @inline(never)
  private mutating func begin(_ byteCount: Int) -> UnsafeMutableRawPointer {
    slabByteCount = min(BlockMemory.pageByteCount, slabByteCount * 2)
    // The rest of the last slab is less than a piece, and isn't used.
    let slab = unsafe BlockMemory.allocate(max(slabByteCount, byteCount))
    unsafe slabs.append(slab)
    unsafe position = unsafe slab + byteCount
    left = max(slabByteCount, byteCount) - byteCount
    return unsafe slab
  }
}
