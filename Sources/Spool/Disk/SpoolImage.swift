import Platform
import Glibc

/// Private memory into which a frame is read from the disk, in the form of a block.
@safe struct SpoolImage: ~Copyable {
  private var memory: UnsafeMutableRawPointer?
  private var byteCount = 0

  deinit { unsafe free(memory) }

  /// Reads a frame, replacing the one read before.
  ///
  /// - Returns: the block, with everything published; nil if it isn't what the frame's header says.
  /// - Throws: `SystemError` if the frame can't be read, or if there is no memory for it.
  mutating func load(_ stored: SpoolDisk.StoredFrame) throws(SystemError) -> SpoolBlock? {
    let frame = stored.frame
    let needed = SpoolBlock.byteCount(forEntries: frame.entryCount, of: frame.entryBytes)
    let block = unsafe SpoolBlock(base: try room(for: needed, stored.file.path))
    block.initialize(byteCount: needed, firstSequence: frame.firstSequence)
    guard try stored.file.readBody(of: frame, at: stored.offset, into: block) else { return nil }
    block.publish(count: frame.entryCount)
    return block
  }

  /// Makes a block of entries that are stored elsewhere; there must be at least one.
  mutating func make(
    _ entries: EntryList, _ range: Range<Int>, firstSequence: Int, for target: String
  ) throws(SystemError) -> SpoolBlock {
    let start = range.lowerBound == 0 ? 0 : entries.ends[range.lowerBound - 1]
    let bytes = entries.bytes[start..<entries.ends[range.upperBound - 1]]
    let needed = SpoolBlock.byteCount(forEntries: range.count, of: bytes.count)
    let block = unsafe SpoolBlock(base: try room(for: needed, target))
    block.initialize(byteCount: needed, firstSequence: firstSequence)
    // The size was computed for these entries and their slots.
    unsafe UnsafeMutableRawBufferPointer(start: block.entryBytes, count: bytes.count).copyBytes(from: bytes)
    for (index, entry) in range.enumerated() {
      let slot = unsafe block.slotsEnd - (index + 1) * SpoolBlock.slotBytes
      unsafe SpoolBlock.store(UInt32(entries.ends[entry] - start), entries.mark(of: entry), at: slot)
    }
    block.publish(count: range.count)
    return block
  }

  private mutating func room(
    for needed: Int, _ target: String
  ) throws(SystemError) -> UnsafeMutableRawPointer {
    if let memory = unsafe memory, byteCount >= needed { return unsafe memory }
    unsafe free(memory)
    unsafe (memory, byteCount) = (nil, 0)
    // Not Swift's own allocation: the size comes from a file, and there may not be so much memory.
    var new: UnsafeMutableRawPointer?
    guard unsafe posix_memalign(&new, SpoolBlock.headerBytes, needed) == 0, let new = unsafe new else {
      throw SystemError(operation: "memory", path: target, errno: .noMemory)
    }
    unsafe (memory, byteCount) = unsafe (new, needed)
    return unsafe new
  }
}
