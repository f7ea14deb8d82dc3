import VarnishLog

/// Memory for the records of one unfinished transaction, in the layout they had in the log.
///
/// It is owned by whoever calls `release`; copies of the value view the same memory.
@safe struct RecordStore<Layout: RecordLayout> {
  private var memory: UnsafeMutableRawPointer?
  private var capacity = 0
  private(set) var byteCount = 0

  /// The records in order.
  ///
  /// They stay where they are until the next change.
  var records: RecordRun<Layout> {
    guard let memory = unsafe memory else { return .empty }
    return unsafe RecordRun(start: UnsafeRawPointer(memory), byteCount: byteCount)
  }

  /// Copies a record.
  ///
  /// If the original is changed meanwhile, a mixture is copied, but never more than the length it had
  /// when the copying began.
  mutating func append(_ record: Record<Layout>) {
    let bytes = record.bytes
    let target = unsafe grow(by: bytes.count)
    unsafe target.copyMemory(from: bytes.start, byteCount: bytes.count)
    // The copied header may be a later one; a walk over the store must find the length that was copied.
    unsafe Layout.writeHeader(
      to: target, tag: record.tag, payloadByteCount: record.payload.count, vxid: record.vxid,
      side: record.side)
  }

  /// Adds a record of our own making, with a NUL behind the text.
  mutating func append(tag: UInt8, vxid: UInt64, side: Side, text: [UInt8]) {
    let payloadByteCount = text.count + 1
    let byteCount = Layout.headerByteCount + (payloadByteCount + 3) & ~3
    let target = unsafe grow(by: byteCount)
    unsafe target.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    unsafe Layout.writeHeader(
      to: target, tag: tag, payloadByteCount: payloadByteCount, vxid: vxid, side: side)
    unsafe text.withUnsafeBytes { source in
      guard let start = source.baseAddress else { return }
      unsafe (target + Layout.headerByteCount).copyMemory(from: start, byteCount: text.count)
    }
  }

  /// Takes back what was added since there were only so many bytes.
  mutating func truncate(to count: Int) {
    byteCount = min(byteCount, max(0, count))
  }

  /// Gives the memory back; the store is empty afterwards.
  mutating func release() {
    unsafe memory?.deallocate()
    unsafe memory = nil
    capacity = 0
    byteCount = 0
  }

  /// Room for `count` more bytes, which count as used from now on.
  private mutating func grow(by count: Int) -> UnsafeMutableRawPointer {
    if let memory = unsafe memory, byteCount + count <= capacity {
      defer { byteCount += count }
      return unsafe memory + byteCount
    }
    let newCapacity = max(1024, capacity * 2, (byteCount + count + 15) & ~15)
    let new = UnsafeMutableRawPointer.allocate(byteCount: newCapacity, alignment: 16)
    if let memory = unsafe memory {
      unsafe new.copyMemory(from: memory, byteCount: byteCount)
      unsafe memory.deallocate()
    }
    unsafe memory = unsafe new
    capacity = newCapacity
    defer { byteCount += count }
    return unsafe new + byteCount
  }
}
