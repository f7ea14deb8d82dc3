import FuzzSupport
import Glibc
import Transactions
import VarnishLog

/// Memory between inaccessible pages.
///
/// Text is read in larger pieces than a byte; the sanitizer doesn't check those loads, but the processor
/// does.
struct FencedMemory {
  /// The memory for all inputs, which come one after the other.
  nonisolated(unsafe) static let shared = FencedMemory()

  private let end: UnsafeMutableRawPointer

  private init() {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    // Room for the largest input.
    let byteCount = 4 * page
    guard let mapping = mmap(nil, byteCount + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      mapping != MAP_FAILED, mprotect(mapping + page, byteCount, PROT_READ | PROT_WRITE) == 0
    else { violated("no memory") }
    end = mapping + page + byteCount
  }

  /// Calls `body` with a text that ends `distance` bytes in front of the end.
  func withBytes(_ text: [UInt8], distance: Int, _ body: (LogBytes) -> Void) {
    let start = end - distance - text.count
    text.withUnsafeBytes {
      if let base = $0.baseAddress { start.copyMemory(from: base, byteCount: $0.count) }
    }
    body(LogBytes(start: start, count: text.count))
  }

  /// Calls `body` with a record that ends `distance` bytes, a whole number of words, in front of the end,
  /// including its padding.
  func withRecord<Result>(
    tag: UInt8, _ text: [UInt8], distance: Int, _ body: (Transaction<WideRecords>) -> Result
  ) -> Result {
    let word = UInt32(tag) << 24 | UInt32(text.count)
    let record = end - distance - Record<WideRecords>.byteCount(word)
    WideRecords.writeHeader(to: record, tag: tag, payloadByteCount: text.count, vxid: 2, side: .client)
    text.withUnsafeBytes {
      if let base = $0.baseAddress {
        (record + WideRecords.headerByteCount).copyMemory(from: base, byteCount: $0.count)
      }
    }
    var cursor = RecordRun<WideRecords>(start: record, byteCount: Record<WideRecords>.byteCount(word))
      .makeCursor()
    guard let found = cursor.next() else { violated("a record that isn't found") }
    return TransactionGroup.withRecord(found) { body($0[0]) }
  }
}
