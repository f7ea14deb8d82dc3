import Glibc

/// Memory of our own in which a frame from the disk looks like a block.
struct SpoolImage: ~Copyable {
  private var memory: UnsafeMutableRawPointer?
  private var byteCount = 0

  deinit { free(memory) }

  /// Reads a frame; what was read before is gone.
  ///
  /// - Returns: the block, with everything published; nil if it isn't what the frame's header says.
  /// - Throws: `SinkError` if it can't be read, or if there is no memory for it.
  mutating func load(_ stored: SpoolDisk.StoredFrame) throws(SinkError) -> SpoolBlock? {
    let frame = stored.frame
    let needed = SpoolBlock.byteCount(forRecords: frame.recordCount, of: frame.recordBytes)
    let block = SpoolBlock(base: try room(for: needed, stored))
    block.initialize(byteCount: needed, firstSequence: frame.firstSequence)
    guard try stored.segment.readBody(of: frame, at: stored.offset, into: block) else { return nil }
    block.publish(count: frame.recordCount)
    return block
  }

  private mutating func room(
    for needed: Int, _ stored: SpoolDisk.StoredFrame
  ) throws(SinkError) -> UnsafeMutableRawPointer {
    if let memory, byteCount >= needed { return memory }
    free(memory)
    (memory, byteCount) = (nil, 0)
    // Not Swift's own: how much is needed is up to a file, and there may not be so much.
    var new: UnsafeMutableRawPointer?
    guard posix_memalign(&new, SpoolBlock.headerBytes, needed) == 0, let new else {
      throw SinkError(target: stored.segment.path, operation: "memory", errno: .noMemory)
    }
    (memory, byteCount) = (new, needed)
    return new
  }
}
