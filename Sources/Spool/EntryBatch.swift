/// Consecutive entries of one block, as a sink sees them.
///
/// The bytes lie one entry after the other, so that one system call can write them all, and the
/// ends are known, so that they can be cut between any two. The first entry may be the rest of one
/// whose beginning has been taken already. Valid only during the call it was handed to.
public struct EntryBatch {
  private let block: SpoolBlock
  private let firstEntry: Int
  private let startOffset: Int

  /// The number of entries, including the rest of an entry that was begun.
  public let count: Int
  /// Where they begin; if the first entry was begun before, the bytes taken of it count as read.
  public let start: SpoolPlace

  package init(block: SpoolBlock, firstEntry: Int, count: Int, startOffset: Int, start: SpoolPlace) {
    self.block = block
    self.firstEntry = firstEntry
    self.count = count
    self.startOffset = startOffset
    self.start = start
  }

  /// All bytes of all entries.
  public var bytes: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(start: block.entryBytes + startOffset, count: byteCount)
  }

  /// How many bytes all entries have.
  public var byteCount: Int { count == 0 ? 0 : endOffset(of: count - 1) }

  /// The offset within `bytes` at which an entry ends.
  public func endOffset(of index: Int) -> Int {
    precondition(index >= 0 && index < count, "an entry of this batch")
    return block.endOffset(ofEntry: firstEntry + index) - startOffset
  }

  /// The mark of an entry.
  public func mark(of index: Int) -> EntryMark {
    precondition(index >= 0 && index < count, "an entry of this batch")
    return block.mark(ofEntry: firstEntry + index)
  }

  /// The bytes of one entry, or the rest of the first.
  package func entry(_ index: Int) -> UnsafeRawBufferPointer {
    let start = index == 0 ? 0 : endOffset(of: index - 1)
    return unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<endOffset(of: index)])
  }

  /// The first `count` entries.
  public func prefix(_ count: Int) -> EntryBatch {
    precondition(count >= 0 && count <= self.count, "entries of this batch")
    return EntryBatch(
      block: block, firstEntry: firstEntry, count: count, startOffset: startOffset, start: start)
  }

  /// How many entries are complete within the first `byteCount` bytes.
  ///
  /// - Complexity: O(log `count`)
  public func entryCount(within byteCount: Int) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if endOffset(of: middle) <= byteCount { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The fewest entries that together have at least `byteCount` bytes; all, if all have fewer.
  public func entryCount(reaching byteCount: Int) -> Int {
    min(count, entryCount(within: byteCount - 1) + 1)
  }
}
