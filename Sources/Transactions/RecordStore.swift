import CShims
import VarnishLog

/// Memory for the records of one unfinished transaction, in the layout they had in the log.
///
/// There may be very many stores, so each is no larger than it has to be: most transactions come in one piece
/// or two, and of the first one it is known how much there is to be stored.
///
/// It is owned by the grouper, which calls `release`; copies of the value view the same memory.
@safe struct RecordStore<Layout: RecordLayout> {
  // Invariant: `0 <= byteCount <= capacity`, and `block` has `capacity` bytes of which the first `byteCount` are
  // initialised.

  private var block: UnsafeMutableRawPointer?
  /// How much memory there is.
  private(set) var capacity = 0
  private(set) var byteCount = 0

  /// The records in order.
  ///
  /// They stay where they are until the next change.
  var records: RecordRun<Layout> {
    guard let block = unsafe block else { return .empty }
    return unsafe RecordRun(start: UnsafeRawPointer(block), byteCount: byteCount)
  }

  /// Has the processor fetch what is stored, as far as one transaction's records usually reach.
  func prefetch() {
    guard let block = unsafe block else { return }
    var at = 0
    while at < min(byteCount, 1024) {
      unsafe shim_prefetch(block + at)
      at += 64
    }
  }

  /// Copies a record.
  ///
  /// If the original is changed meanwhile, a mixture is copied, but never more than the length it had
  /// when it was found.
  mutating func append(_ record: Record<Layout>, _ memory: inout StoreMemory) {
    reserve(record.bytes.count, &memory)
    put(record)
  }

  /// Copies those records that a table picks.
  mutating func append(_ records: PickedRecords<Layout>, _ table: PickTable, _ memory: inout StoreMemory) {
    let records = unsafe records.records
    var byteCount = 0
    for index in records.indices {
      let record = unsafe records[index]
      if table.mayPick(table.code(record.tag)) { byteCount &+= record.bytes.count }
    }
    guard byteCount > 0 else { return }
    reserve(byteCount, &memory)
    for index in records.indices {
      let record = unsafe records[index]
      if table.picks(record) { put(record) }
    }
  }

  /// Adds a record that the grouper makes up, with a NUL behind the text.
  mutating func append(
    tag: UInt8, vxid: UInt64, side: Side, text: [UInt8], _ memory: inout StoreMemory
  ) {
    let payloadByteCount = text.count + 1
    let byteCount = Layout.headerByteCount + (payloadByteCount + 3) & ~3
    reserve(byteCount, &memory)
    let target = unsafe take(byteCount)
    unsafe target.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    unsafe Layout.writeHeader(
      to: target, tag: tag, payloadByteCount: payloadByteCount, vxid: vxid, side: side)
    unsafe text.withUnsafeBytes { source in
      guard let start = source.baseAddress else { return }
      unsafe (target + Layout.headerByteCount).copyMemory(from: start, byteCount: text.count)
    }
  }

  /// Takes back what was added since there were only `count` bytes.
  mutating func truncate(to count: Int) {
    byteCount = min(byteCount, max(0, count))
  }

  /// Gives the memory back; the store is empty afterwards.
  mutating func release(to memory: inout StoreMemory) {
    if let block = unsafe block { unsafe memory.take(back: block, capacity) }
    unsafe block = nil
    capacity = 0
    byteCount = 0
  }

  /// Frees a block that `StoreMemory` doesn't own; for when all stores end.
  func abandon() {
    if let block = unsafe block, !StoreMemory.owns(capacity) { unsafe block.deallocate() }
  }

  /// Copies a record for which there is room.
  @inline(__always)
  private mutating func put(_ record: Record<Layout>) {
    let bytes = record.bytes
    let target = unsafe take(bytes.count)
    unsafe target.copyMemory(from: bytes.start, byteCount: bytes.count)
    // The copied word may be a later one; a walk over the store must find the length that was copied.
    unsafe target.storeBytes(of: record.word, as: UInt32.self)
  }

  /// The next `count` bytes of the block, which count as used from now on.
  @inline(__always)
  private mutating func take(_ count: Int) -> UnsafeMutableRawPointer {
    precondition(count <= capacity - byteCount)
    guard let block = unsafe block else { preconditionFailure("there is room") }
    defer { byteCount &+= count }
    return unsafe block + byteCount
  }

  /// Makes room for so many bytes more.
  @inline(__always)
  private mutating func reserve(_ count: Int, _ memory: inout StoreMemory) {
    if count > capacity - byteCount { grow(by: count, &memory) }
  }

  @inline(never)
  private mutating func grow(by count: Int, _ memory: inout StoreMemory) {
    // A transaction that came in two pieces may come in many.
    let wanted = max(byteCount + count, byteCount > 0 ? capacity / 2 * 3 : 0)
    let larger = StoreMemory.blockByteCount(for: wanted)
    let new = unsafe memory.allocate(larger)
    if let block = unsafe block {
      unsafe new.copyMemory(from: block, byteCount: byteCount)
      unsafe memory.take(back: block, capacity)
    }
    unsafe block = unsafe new
    capacity = larger
  }
}
