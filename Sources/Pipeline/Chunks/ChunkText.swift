/// The lines of a chunk, one behind the other.
@safe struct ChunkText: ~Copyable {
  // Invariant: the first `count` bytes of `memory` are written, and `count` is no more than it has.

  private var memory: UnsafeMutableRawBufferPointer
  /// How many bytes there are.
  private(set) var count = 0

  /// Room for what a chunk usually gives.
  private static let byteCountUsual = 256 << 10

  init() { unsafe memory = .allocate(byteCount: Self.byteCountUsual, alignment: 16) }

  deinit { unsafe memory.deallocate() }

  /// Memory for at least `byteCount` bytes, behind those that are kept already; valid until the next call.
  mutating func room(_ byteCount: Int) -> UnsafeMutableRawBufferPointer {
    if unsafe memory.count - count < byteCount {
      let larger = unsafe UnsafeMutableRawBufferPointer.allocate(
        byteCount: max(memory.count * 2, count + byteCount), alignment: 16)
      unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
      unsafe memory.deallocate()
      unsafe memory = unsafe larger
    }
    return unsafe UnsafeMutableRawBufferPointer(rebasing: memory[count...])
  }

  /// Keeps the first `byteCount` bytes of the memory that `room` returned last.
  mutating func keep(_ byteCount: Int) {
    unsafe precondition(byteCount >= 0 && byteCount <= memory.count - count, "more than there was room for")
    count += byteCount
  }

  /// Removes the bytes behind the first `count`.
  mutating func truncate(to count: Int) { self.count = min(self.count, max(0, count)) }

  /// Bytes that were kept, valid until something is added.
  subscript(range: Range<Int>) -> UnsafeRawBufferPointer {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    return unsafe UnsafeRawBufferPointer(rebasing: memory[range])
  }
}
