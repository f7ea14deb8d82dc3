import Glibc
import Spool

/// The bytes of whole records that were taken from the spool, but aren't known to have been taken by a
/// consumer; in the form in which they are sent.
///
///     bytes    ░░░░░░░░┌──────────┬──────────┬──────────┬──────────┐ … room …
///              forgotten  record      record ▲   record     record │
///                      ▲ first               sent                  ▲ end
///
/// What is sent is sent in order, and a consumer takes it in order, so one number says how far it has come:
/// how many of the last bytes sent it has not taken. Records move to the front of the memory only when there is
/// no more room behind them.
struct SendWindow: ~Copyable {
  /// How much is kept at a time; a single record may be larger.
  static let byteCountUsual = 1 << 20
  private static let recordCountMax = 1 << 16

  private let byteCountMax: Int
  private var bytes: UnsafeMutableRawBufferPointer
  private let lengths: UnsafeMutableBufferPointer<UInt32>

  // Offsets into `bytes`: what is kept, and how much of that was sent.
  private var firstByte = 0
  private var sentByte = 0
  private var endByte = 0
  // The same in `lengths`; `unsentRecord` is the first that was not sent whole, and begins at its byte.
  private var firstRecord = 0
  private var unsentRecord = 0
  private var unsentRecordByte = 0
  private var endRecord = 0
  // How many bytes the records have that are kept, whatever is sent of them.
  private var recordByteCount = 0

  /// What is sent of a record; changed only while nothing is kept.
  var form = EntryForm.line {
    didSet { precondition(isEmpty || form == oldValue, "records of another form are kept") }
  }

  init(byteCountMax: Int = Self.byteCountUsual) {
    self.byteCountMax = byteCountMax
    bytes = .allocate(byteCount: byteCountMax, alignment: 1)
    lengths = .allocate(capacity: Self.recordCountMax)
  }

  deinit {
    bytes.deallocate()
    lengths.deallocate()
  }

  /// What is kept.
  var contents: Tally { Tally(records: endRecord - firstRecord, bytes: recordByteCount) }

  /// The records that are kept.
  var records: RecordList {
    var list = RecordList(bytes: [], ends: [])
    var start = firstByte
    for index in firstRecord..<endRecord {
      let end = start + Int(lengths[index])
      list.bytes += form.entry(in: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
      list.ends.append(list.bytes.count)
      start = end
    }
    return list
  }

  /// Whether nothing is kept.
  var isEmpty: Bool { firstRecord == endRecord }

  /// How many of the bytes kept were sent.
  var sentByteCount: Int { sentByte - firstByte }

  /// Whether everything that is kept was sent.
  var isSent: Bool { sentByte == endByte }

  /// The first records of a batch, as many as there is room for; an empty window takes any record.
  func fitting(_ batch: RecordBatch) -> RecordBatch {
    let room = byteCountMax - (endByte - firstByte)
    let countMax = lengths.count - (endRecord - firstRecord)
    let count = min(form == .line ? batch.recordCount(within: room) : sendable(batch, within: room), countMax)
    return batch.prefix(isEmpty ? max(count, min(1, batch.count)) : count)
  }

  /// How many records there is room for in the form in which they are sent.
  private func sendable(_ batch: RecordBatch, within room: Int) -> Int {
    var byteCount = 0
    for index in 0..<batch.count {
      byteCount += form.byteCount(ofEntry: batch.record(index))
      if byteCount > room { return index }
    }
    return batch.count
  }

  /// Takes records for which there is room.
  mutating func append(_ batch: RecordBatch) {
    recordByteCount += batch.byteCount
    guard form == .line else { return appendEach(of: batch) }
    makeRoom(byteCount: batch.byteCount, recordCount: batch.count)
    UnsafeMutableRawBufferPointer(rebasing: bytes[endByte...]).copyMemory(from: batch.bytes)
    var start = 0
    for index in 0..<batch.count {
      let end = batch.endOffset(of: index)
      lengths[endRecord + index] = UInt32(end - start)
      start = end
    }
    endByte += batch.byteCount
    endRecord += batch.count
  }

  private mutating func appendEach(of batch: RecordBatch) {
    let byteCount = (0..<batch.count).reduce(0) { $0 + form.byteCount(ofEntry: batch.record($1)) }
    makeRoom(byteCount: byteCount, recordCount: batch.count)
    for index in 0..<batch.count {
      let room = UnsafeMutableRawBufferPointer(rebasing: bytes[endByte...])
      let count = form.put(batch.record(index), to: room)
      lengths[endRecord] = UInt32(count)
      endByte += count
      endRecord += 1
    }
    skipEmpty()
  }

  /// Passes over records of which nothing is sent.
  private mutating func skipEmpty() { markSent(0) }

  /// What is to be sent next: whole records of at most `byteCountMax` bytes, or the rest of one; valid until
  /// the next change.
  func unsent(byteCountMax: Int) -> UnsafeRawBufferPointer {
    var end = unsentRecordByte
    var record = unsentRecord
    while record < endRecord {
      let next = end + Int(lengths[record])
      if next - sentByte > byteCountMax, end > sentByte { break }
      end = next
      record += 1
    }
    return UnsafeRawBufferPointer(rebasing: bytes[sentByte..<max(sentByte, end)])
  }

  /// Notes that so many more bytes were sent.
  mutating func markSent(_ byteCount: Int) {
    precondition(byteCount >= 0 && byteCount <= endByte - sentByte, "more than there is")
    sentByte += byteCount
    while unsentRecord < endRecord {
      let end = unsentRecordByte + Int(lengths[unsentRecord])
      if end > sentByte { break }
      unsentRecordByte = end
      unsentRecord += 1
    }
  }

  /// Forgets the records that the consumer has taken: all that was sent but the last so many bytes.
  mutating func confirm(unreadByteCount: Int) {
    precondition(unreadByteCount >= 0 && unreadByteCount <= sentByteCount, "more than was sent")
    let taken = sentByte - unreadByteCount
    while firstRecord < unsentRecord {
      let end = firstByte + Int(lengths[firstRecord])
      if end > taken { break }
      forget(firstByte..<end)
      firstByte = end
      firstRecord += 1
    }
    if isEmpty { clear() }
  }

  private mutating func forget(_ range: Range<Int>) {
    recordByteCount -= form.entryByteCount(in: UnsafeRawBufferPointer(rebasing: bytes[range]))
  }

  /// Forgets the record that would be sent next, none of whose bytes were sent.
  mutating func dropNext() -> Tally {
    guard unsentRecord < endRecord, sentByte == unsentRecordByte else { return .zero }
    let former = contents
    let end = sentByte + Int(lengths[unsentRecord])
    forget(sentByte..<end)
    if let base = bytes.baseAddress, let first = lengths.baseAddress {
      memmove(base + sentByte, base + end, endByte - end)
      (first + unsentRecord).update(from: first + unsentRecord + 1, count: endRecord - unsentRecord - 1)
    }
    endByte -= end - sentByte
    endRecord -= 1
    if isEmpty { clear() }
    return former - contents
  }

  /// Has everything that is kept sent again, beginning with a whole record.
  mutating func rewind() {
    sentByte = firstByte
    unsentRecordByte = firstByte
    unsentRecord = firstRecord
    skipEmpty()
  }

  /// Forgets everything that is kept.
  mutating func drop() -> Tally {
    let dropped = contents
    clear()
    return dropped
  }

  private mutating func clear() {
    (firstByte, sentByte, endByte) = (0, 0, 0)
    (firstRecord, unsentRecord, unsentRecordByte, endRecord) = (0, 0, 0, 0)
    recordByteCount = 0
  }

  private mutating func makeRoom(byteCount: Int, recordCount: Int) {
    if endByte + byteCount > bytes.count || endRecord + recordCount > lengths.count { moveToFront() }
    precondition(endRecord + recordCount <= lengths.count, "more records than there is room for")
    let needed = max(byteCountMax, endByte + byteCount)
    // One record that was larger than all that is usually kept must not take its memory for ever.
    guard bytes.count < needed || (isEmpty && bytes.count > needed) else { return }
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: needed, alignment: 1)
    larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<endByte]))
    bytes.deallocate()
    bytes = larger
  }

  private mutating func moveToFront() {
    guard let base = bytes.baseAddress, let first = lengths.baseAddress else { return }
    memmove(base, base + firstByte, endByte - firstByte)
    first.update(from: first + firstRecord, count: endRecord - firstRecord)
    endByte -= firstByte
    sentByte -= firstByte
    unsentRecordByte -= firstByte
    endRecord -= firstRecord
    unsentRecord -= firstRecord
    (firstByte, firstRecord) = (0, 0)
  }
}
