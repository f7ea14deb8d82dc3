/// Consecutive records of one block, as a sink sees them.
///
/// The bytes lie one record after the other, so that one system call can write them all, and the
/// ends are known, so that they can be cut between any two. The first record may be the rest of one
/// whose beginning has been taken already. Valid only during the call it was handed to.
public struct RecordBatch {
  private let block: SpoolBlock
  private let firstRecord: Int
  private let startOffset: Int

  /// How many records, the rest of a begun one included.
  public let count: Int

  package init(block: SpoolBlock, firstRecord: Int, count: Int, startOffset: Int) {
    self.block = block
    self.firstRecord = firstRecord
    self.count = count
    self.startOffset = startOffset
  }

  /// All bytes of all records.
  public var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: block.recordBytes + startOffset, count: byteCount)
  }

  /// How many bytes all records have.
  public var byteCount: Int { count == 0 ? 0 : endOffset(of: count - 1) }

  /// The offset within `bytes` at which a record ends.
  public func endOffset(of index: Int) -> Int {
    precondition(index >= 0 && index < count, "a record of this batch")
    return block.endOffset(ofRecord: firstRecord + index) - startOffset
  }

  /// The bytes of one record, or the rest of the first.
  package func record(_ index: Int) -> UnsafeRawBufferPointer {
    let start = index == 0 ? 0 : endOffset(of: index - 1)
    return UnsafeRawBufferPointer(rebasing: bytes[start..<endOffset(of: index)])
  }

  /// The first `count` records.
  public func prefix(_ count: Int) -> RecordBatch {
    precondition(count >= 0 && count <= self.count, "records of this batch")
    return RecordBatch(
      block: block, firstRecord: firstRecord, count: count, startOffset: startOffset)
  }

  /// How many records are complete within the first `byteCount` bytes.
  ///
  /// - Complexity: O(log `count`)
  public func recordCount(within byteCount: Int) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if endOffset(of: middle) <= byteCount { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The fewest records that together have at least `byteCount` bytes; all, if all have fewer.
  public func recordCount(reaching byteCount: Int) -> Int {
    min(count, recordCount(within: byteCount - 1) + 1)
  }
}
