/// How the records of 2.0, 2.1 or 3.0 lie one behind the other (`shm-layout.md` 2.2 and 3.4).
///
/// In place of a transaction's number they have that of a connection, its descriptor. Files of them have no
/// marker.
public protocol LegacyFormat: Sendable {
  /// The numbering of their tags.
  static var numbering: TagNumbering { get }
  /// The size of the header in front of a payload, in bytes.
  static var headerByteCount: Int { get }
  /// The number of bytes that each record's offset is a multiple of.
  static var alignment: Int { get }

  /// Reads the record or mark at a place.
  ///
  /// - Parameters:
  ///   - memory: at a multiple of `alignment`.
  ///   - byteCount: how many bytes may be read there.
  static func item(at memory: UnsafeRawPointer, byteCount: Int) -> LegacyItem

  /// Writes a record, of which the payload is cut to what a header can announce.
  ///
  /// - Parameter text: without a NUL.
  static func append(
    tag: UInt8, descriptor: UInt32, text: UnsafeRawBufferPointer, to bytes: inout [UInt8])
}

/// What lies at a place in a log of 2.0, 2.1 or 3.0.
@safe public enum LegacyItem {
  // Invariant: a record's payload is within the bytes that were given to `LegacyFormat.item`.

  /// A record, and how many bytes it takes.
  case record(LegacyRecord, byteCount: Int)
  /// No whole record: `byteCount` bytes would have to be there.
  case incomplete(byteCount: Int)
  /// The mark behind the last record that was written.
  case end
  /// The mark that the log goes on at its beginning.
  case wrap
  /// Bytes that no server writes.
  case damaged
}

/// A record of 2.0, 2.1 or 3.0, seen where it lies.
public struct LegacyRecord {
  /// The tag's number in the numbering of the generation.
  public let tag: UInt8
  /// The connection's descriptor; 0 for a record that belongs to no connection.
  public let descriptor: UInt32
  /// The text, without the NUL that 2.x puts behind it.
  public let payload: LogBytes

  /// Puts a record together.
  public init(tag: UInt8, descriptor: UInt32, payload: LogBytes) {
    self.tag = tag
    self.descriptor = descriptor
    self.payload = payload
  }
}

/// 2.1: seven bytes, the numbers in network order, a NUL behind the payload, no padding.
public enum Records21: LegacyFormat {
  /// 2.1.
  public static var numbering: TagNumbering { .v21 }
  /// Tag, length, descriptor.
  public static var headerByteCount: Int { 7 }
  /// Records may begin anywhere.
  public static var alignment: Int { 1 }

  /// Reads the record or mark at a place.
  public static func item(at memory: UnsafeRawPointer, byteCount: Int) -> LegacyItem {
    unsafe PackedRecord.item(at: memory, byteCount: byteCount, headerByteCount: headerByteCount) { header in
      unsafe UInt32(bigEndian: header.loadUnaligned(fromByteOffset: 3, as: UInt32.self))
    }
  }

  /// Writes a record.
  public static func append(
    tag: UInt8, descriptor: UInt32, text: UnsafeRawBufferPointer, to bytes: inout [UInt8]
  ) {
    let text = unsafe PackedRecord.cut(text)
    bytes.append(contentsOf: [tag, UInt8(text.count >> 8), UInt8(text.count & 0xFF)])
    for shift: UInt32 in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: descriptor >> shift)) }
    unsafe bytes.append(contentsOf: text)
    bytes.append(0)
  }
}

/// 2.0: as 2.1, with descriptors of two bytes.
public enum Records20: LegacyFormat {
  /// 2.0.
  public static var numbering: TagNumbering { .v20 }
  /// Tag, length, descriptor.
  public static var headerByteCount: Int { 5 }
  /// Records may begin anywhere.
  public static var alignment: Int { 1 }

  /// Reads the record or mark at a place.
  public static func item(at memory: UnsafeRawPointer, byteCount: Int) -> LegacyItem {
    unsafe PackedRecord.item(at: memory, byteCount: byteCount, headerByteCount: headerByteCount) { header in
      unsafe UInt32(UInt16(bigEndian: header.loadUnaligned(fromByteOffset: 3, as: UInt16.self)))
    }
  }

  /// Writes a record.
  public static func append(
    tag: UInt8, descriptor: UInt32, text: UnsafeRawBufferPointer, to bytes: inout [UInt8]
  ) {
    let text = unsafe PackedRecord.cut(text)
    bytes.append(contentsOf: [
      tag, UInt8(text.count >> 8), UInt8(text.count & 0xFF), UInt8(truncatingIfNeeded: descriptor >> 8),
      UInt8(truncatingIfNeeded: descriptor),
    ])
    unsafe bytes.append(contentsOf: text)
    bytes.append(0)
  }
}

/// 3.0: two words in front of a payload that is padded to a word and has no NUL.
public enum Records30: LegacyFormat {
  /// 3.0.
  public static var numbering: TagNumbering { .v30 }
  /// Two words.
  public static var headerByteCount: Int { 8 }
  /// Records begin at a word.
  public static var alignment: Int { 4 }
  /// The words that stand in place of a record's first one.
  private static var endMark: UInt32 { 0xFF45_4545 }
  private static var wrapMark: UInt32 { 0xFF57_5757 }

  /// Reads the record or mark at a place.
  public static func item(at memory: UnsafeRawPointer, byteCount: Int) -> LegacyItem {
    guard byteCount >= 4 else { return .incomplete(byteCount: headerByteCount) }
    let word = unsafe memory.load(as: UInt32.self)
    if word == endMark { return .end }
    if word == wrapMark { return .wrap }
    // No tag is so high, and nothing sets the bits between the tag and the length.
    guard word >> 24 < TagNumbers.none, word & 0x00FF_0000 == 0 else { return .damaged }
    let count = Int(word & 0xFFFF)
    let total = headerByteCount + (count + 3) & ~3
    guard byteCount >= total else { return .incomplete(byteCount: total) }
    let record = unsafe LegacyRecord(
      tag: UInt8(word >> 24), descriptor: memory.load(fromByteOffset: 4, as: UInt32.self),
      payload: LogBytes(start: memory + headerByteCount, count: count))
    return .record(record, byteCount: total)
  }

  /// Writes a record.
  public static func append(
    tag: UInt8, descriptor: UInt32, text: UnsafeRawBufferPointer, to bytes: inout [UInt8]
  ) {
    let text = unsafe PackedRecord.cut(text)
    for word in [UInt32(tag) << 24 | UInt32(text.count), descriptor] {
      unsafe withUnsafeBytes(of: word) { unsafe bytes.append(contentsOf: $0) }
    }
    unsafe bytes.append(contentsOf: text)
    while bytes.count % alignment != 0 { bytes.append(0) }
  }
}

/// The layout that the records of 2.0 and 2.1 have in common.
private enum PackedRecord {
  @inline(__always)
  static func item(
    at memory: UnsafeRawPointer, byteCount: Int, headerByteCount: Int,
    descriptor: (UnsafeRawPointer) -> UInt32
  ) -> LegacyItem {
    guard byteCount > 0 else { return .incomplete(byteCount: headerByteCount + 1) }
    let tag = unsafe memory.load(as: UInt8.self)
    switch tag {
    case 0: return .end
    case 255: return .wrap
    default: break
    }
    guard byteCount >= headerByteCount else { return .incomplete(byteCount: headerByteCount + 1) }
    let count = unsafe Int(UInt16(bigEndian: memory.loadUnaligned(fromByteOffset: 1, as: UInt16.self)))
    let total = headerByteCount + count + 1
    guard byteCount >= total else { return .incomplete(byteCount: total) }
    guard unsafe memory.load(fromByteOffset: total - 1, as: UInt8.self) == 0 else { return .damaged }
    let record = unsafe LegacyRecord(
      tag: tag, descriptor: descriptor(memory),
      payload: LogBytes(start: memory + headerByteCount, count: count))
    return .record(record, byteCount: total)
  }

  static func cut(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: text.prefix(RecordHeader.payloadByteCountMax))
  }
}

/// A record of a generation that is known only while the program runs.
package enum LegacyRecordBytes {
  /// Writes a record as the releases of a numbering do; any numbering but those of 2.0 and 2.1 gets 3.0's
  /// layout.
  package static func append(
    tag: UInt8, descriptor: UInt32, _ text: UnsafeRawBufferPointer, _ numbering: TagNumbering,
    to bytes: inout [UInt8]
  ) {
    switch numbering {
    case .v20: unsafe Records20.append(tag: tag, descriptor: descriptor, text: text, to: &bytes)
    case .v21: unsafe Records21.append(tag: tag, descriptor: descriptor, text: text, to: &bytes)
    default: unsafe Records30.append(tag: tag, descriptor: descriptor, text: text, to: &bytes)
    }
  }
}
