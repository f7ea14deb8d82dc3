import Glibc
import VarnishLog

/// Tells a record that a server wrote from bytes that only look like one.
///
/// ```
/// tag       known in the numbering, or, while that isn't known, any but those that stand for marks
/// header    what lies between tag and length is 0 in a narrow record, 1 in a wide one
/// number    no more bits than a transaction's number has, not marked with both sides, 0 without a side
/// payload   a text ends with its only NUL; raw bytes are what they are
/// ```
struct RecordCheck<Layout: RecordLayout> {
  private let known: TagSet
  private let raw: TagSet

  /// Tags whose payload may be any bytes, in some release at least.
  private static var rawTags: [Tag] {
    [.debug, .httpGarbage, .hash, .h2RxHdr, .h2RxBody, .h2TxHdr, .h2TxBody]
  }

  /// - Parameters:
  ///   - numbering: nil while it isn't known.
  ///   - takesUnknown: whether tags without a meaning are believed, as a release to come may have them.
  init(_ numbering: TagNumbering?, takesUnknown: Bool) {
    var (known, raw) = (TagSet(), TagSet())
    if let numbering {
      let table = TagTable(numbering)
      for number in UInt8(1)..<254 where takesUnknown || table.tag(number) != nil { known.insert(number) }
      for number in Self.rawTags.compactMap(table.number) { raw.insert(number) }
      for number in UInt8(1)..<254 where table.tag(number) == nil { raw.insert(number) }
    } else {
      for number in UInt8(1)..<254 {
        known.insert(number)
        raw.insert(number)
      }
    }
    (self.known, self.raw) = (known, raw)
  }

  /// The bits between tag and length.
  private static var middleByte: UInt32 {
    Layout.headerByteCount == WideRecords.headerByteCount ? 1 : 0
  }

  /// The size of a record whose header is at an address; nil if no server writes such a header.
  ///
  /// - Parameter header: as many readable bytes as a header has, aligned or not.
  @inline(__always)
  func byteCount(ofHeaderAt header: UnsafeRawPointer) -> Int? {
    let word = unsafe header.loadUnaligned(as: UInt32.self)
    guard word >> 16 & 0xFF == Self.middleByte, known.contains(RecordHeader.tag(word)) else { return nil }
    guard unsafe hasNumber(header) else { return nil }
    return Record<Layout>.byteCount(word)
  }

  @inline(__always)
  private func hasNumber(_ header: UnsafeRawPointer) -> Bool {
    let low = unsafe header.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
    guard Layout.headerByteCount == WideRecords.headerByteCount else {
      return low >> 30 < 3 && (low & 0x3FFF_FFFF != 0 || low == 0)
    }
    let high = unsafe header.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
    return high & 0x3FF8_0000 == 0 && high >> 30 < 3 && (low != 0 || high & 0x7_FFFF != 0 || high == 0)
  }

  /// Whether a record's payload is what its tag has; `record` points to all of it.
  func isWhole(_ record: UnsafeRawPointer) -> Bool {
    let word = unsafe record.loadUnaligned(as: UInt32.self)
    if raw.contains(RecordHeader.tag(word)) { return true }
    let count = RecordHeader.payloadByteCount(word)
    guard count > 0 else { return false }
    let payload = unsafe record + Layout.headerByteCount
    return unsafe memchr(payload, 0, count) == UnsafeMutableRawPointer(mutating: payload + (count - 1))
      && !hasMark(payload, count)
  }

  /// Whether a text has an end mark or a wrap mark in it.
  ///
  /// The server had begun to overwrite the text when it was copied: no text in UTF-8 has the marks' bytes.
  private func hasMark(_ payload: UnsafeRawPointer, _ count: Int) -> Bool {
    for at in stride(from: 0, to: count - 3, by: 4) {
      let word = unsafe payload.loadUnaligned(fromByteOffset: at, as: UInt32.self)
      if word == LogImage.Mark.end || word == LogImage.Mark.wrap { return true }
    }
    return false
  }

  /// Whether bytes are records of one transaction, or of none, from the first to the last, as a batch has them.
  func isBatch(_ start: UnsafeRawPointer, byteCount: Int) -> Bool {
    guard byteCount >= Layout.headerByteCount else { return false }
    let vxid = unsafe number(start)
    var at = 0
    while at < byteCount {
      guard byteCount - at >= Layout.headerByteCount,
        let record = unsafe self.byteCount(ofHeaderAt: start + at), record <= byteCount - at,
        unsafe number(start + at) == vxid, unsafe isWhole(start + at)
      else { return false }
      at += record
    }
    return true
  }

  /// The transaction's number in a header that needn't be aligned.
  private func number(_ header: UnsafeRawPointer) -> UInt64 {
    let low = unsafe UInt64(header.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    guard Layout.headerByteCount == WideRecords.headerByteCount else { return low & 0x3FFF_FFFF }
    let high = unsafe header.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
    return UInt64(high & 0x7_FFFF) << 32 | low
  }
}
