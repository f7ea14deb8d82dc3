import VarnishLog

/// Memory for records in the layout of today's logs, one behind the other.
///
/// Adding a record may move all others in memory.
@safe struct RecordBuffer: ~Copyable {
  // Invariant: `used` is at most what `memory` has room for, and a multiple of four.

  private var memory = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var used = 0

  init() {}

  deinit { unsafe memory.deallocate() }

  /// How many bytes the records take.
  var byteCount: Int { used }

  /// Where they begin.
  var start: UnsafeRawPointer {
    unsafe memory.baseAddress.map { UnsafeRawPointer($0) } ?? RecordRun<WideRecords>.empty.start
  }

  /// The records from an offset on.
  func run(from offset: Int = 0) -> RecordRun<WideRecords> {
    unsafe RecordRun(start: start + offset, byteCount: used - offset)
  }

  /// Forgets all records, but keeps the memory unless it has grown large.
  mutating func removeAll() {
    used = 0
    guard unsafe memory.count > Self.keptByteCountMax else { return }
    unsafe memory.deallocate()
    unsafe memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  }

  private static var keptByteCountMax: Int { 64 << 10 }

  /// Adds a record with a text and a NUL behind it; what is longer than a record can be is cut.
  mutating func append(tag: UInt8, vxid: UInt64, side: Side, _ text: LogBytes) {
    let count = min(text.count, RecordHeader.payloadByteCountMax - 1)
    unsafe append(tag: tag, vxid: vxid, side: side, byteCount: count) { target in
      unsafe target.copyMemory(from: text.start, byteCount: count)
    }
  }

  /// Adds a record with a Swift string as its text.
  mutating func append(tag: UInt8, vxid: UInt64, side: Side, _ text: String) {
    var text = text
    text.withUTF8 { bytes in
      let count = min(bytes.count, RecordHeader.payloadByteCountMax - 1)
      unsafe append(tag: tag, vxid: vxid, side: side, byteCount: count) { target in
        guard let start = bytes.baseAddress else { return }
        unsafe target.copyMemory(from: start, byteCount: count)
      }
    }
  }

  /// Adds a record as it is.
  mutating func append(_ record: Record<WideRecords>) {
    let bytes = record.bytes
    unsafe room(bytes.count).copyMemory(from: bytes.start, byteCount: bytes.count)
  }

  private mutating func append(
    tag: UInt8, vxid: UInt64, side: Side, byteCount: Int, _ fill: (UnsafeMutableRawPointer) -> Void
  ) {
    let total = WideRecords.headerByteCount + (byteCount + 1 + 3) & ~3
    let target = unsafe room(total)
    // The NUL, and what fills the last word.
    unsafe (target + total - 4).storeBytes(of: 0, as: UInt32.self)
    unsafe WideRecords.writeHeader(
      to: target, tag: tag, payloadByteCount: byteCount + 1, vxid: vxid, side: side)
    unsafe fill(target + WideRecords.headerByteCount)
  }

  private mutating func room(_ count: Int) -> UnsafeMutableRawPointer {
    if unsafe used + count > memory.count {
      let larger = unsafe UnsafeMutableRawBufferPointer.allocate(
        byteCount: max(1024, 2 * memory.count, used + count), alignment: 16)
      unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<used]))
      unsafe memory.deallocate()
      unsafe memory = unsafe larger
    }
    defer { used += count }
    return unsafe memory.baseAddress.unsafelyUnwrapped + used
  }
}
