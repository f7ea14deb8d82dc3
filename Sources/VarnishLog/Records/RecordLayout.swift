/// The side of the cache that a record tells of: clients, backends, or none.
public enum Side: UInt8, Sendable {
  case none
  case client
  case backend
}

/// How a record lies in memory: the header words in front of its payload (`shm-layout.md` 6.3, 6.4).
///
/// Everything that walks records is generic over this, so that its inner loop is compiled once for each
/// layout and asks nothing at run time.
public protocol RecordLayout: Sendable {
  /// The size of the header in bytes, a multiple of 4.
  static var headerByteCount: Int { get }
  /// The first four bytes of a file of such records, as a little-endian word.
  static var fileMagic: UInt32 { get }
  /// The first eight bytes of a log segment of such records, as a little-endian word.
  static var ringMagic: UInt64 { get }
  /// The transaction a record belongs to; `record` points to a whole header.
  static func vxid(_ record: UnsafeRawPointer) -> UInt64
  /// The side a record is marked with; `record` points to a whole header.
  static func side(_ record: UnsafeRawPointer) -> Side
  /// What two records of one transaction and side have in common, in one number; `record` points to a whole header.
  ///
  /// If it differs between two records, their number and side may still be the same.
  static func identity(_ record: UnsafeRawPointer) -> UInt64
  /// Writes a header of this layout.
  static func writeHeader(
    to memory: UnsafeMutableRawPointer, tag: UInt8, payloadByteCount: Int, vxid: UInt64, side: Side)
}

/// Records with two header words and 30-bit transaction numbers: Varnish 4.0 to 7.2.
public enum NarrowRecords: RecordLayout {
  /// Two words.
  @inlinable public static var headerByteCount: Int { 8 }
  /// As `VSL` files begin.
  @inlinable public static var fileMagic: UInt32 { 0x004C_5356 }
  /// As `VSLHEAD` segments begin.
  @inlinable public static var ringMagic: UInt64 { 0x3144_4145_484C_5356 }

  /// The transaction's number, without the marks of the side.
  @inlinable
  public static func vxid(_ record: UnsafeRawPointer) -> UInt64 {
    unsafe UInt64(record.load(fromByteOffset: 4, as: UInt32.self) & 0x3FFF_FFFF)
  }

  /// The side, from the two topmost bits.
  @inlinable
  public static func side(_ record: UnsafeRawPointer) -> Side {
    unsafe RecordHeader.side(ofTopBits: record.load(fromByteOffset: 4, as: UInt32.self))
  }

  /// The second word.
  @inlinable
  public static func identity(_ record: UnsafeRawPointer) -> UInt64 {
    unsafe UInt64(record.load(fromByteOffset: 4, as: UInt32.self))
  }

  /// Writes a header.
  @inlinable
  public static func writeHeader(
    to memory: UnsafeMutableRawPointer, tag: UInt8, payloadByteCount: Int, vxid: UInt64, side: Side
  ) {
    unsafe memory.storeBytes(of: UInt32(tag) << 24 | UInt32(payloadByteCount & 0xFFFF), as: UInt32.self)
    unsafe memory.storeBytes(
      of: UInt32(truncatingIfNeeded: vxid) & 0x3FFF_FFFF | RecordHeader.topBits(of: side),
      toByteOffset: 4, as: UInt32.self)
  }
}

/// Records with three header words and 51-bit transaction numbers: Varnish 7.3 and newer.
public enum WideRecords: RecordLayout {
  /// Three words.
  @inlinable public static var headerByteCount: Int { 12 }
  /// As `VSL` files begin.
  @inlinable public static var fileMagic: UInt32 { 0x324C_5356 }
  /// As `VSLHEAD` segments begin.
  @inlinable public static var ringMagic: UInt64 { 0x3244_4145_484C_5356 }

  /// The transaction's number, without the marks of the side.
  @inlinable
  public static func vxid(_ record: UnsafeRawPointer) -> UInt64 {
    let low = unsafe UInt64(record.load(fromByteOffset: 4, as: UInt32.self))
    let high = unsafe UInt64(record.load(fromByteOffset: 8, as: UInt32.self) & 0x7_FFFF)
    return high << 32 | low
  }

  /// The side, from the two topmost bits.
  @inlinable
  public static func side(_ record: UnsafeRawPointer) -> Side {
    unsafe RecordHeader.side(ofTopBits: record.load(fromByteOffset: 8, as: UInt32.self))
  }

  /// The second and third word.
  @inlinable
  public static func identity(_ record: UnsafeRawPointer) -> UInt64 {
    unsafe record.loadUnaligned(fromByteOffset: 4, as: UInt64.self)
  }

  /// Writes a header.
  @inlinable
  public static func writeHeader(
    to memory: UnsafeMutableRawPointer, tag: UInt8, payloadByteCount: Int, vxid: UInt64, side: Side
  ) {
    unsafe memory.storeBytes(
      of: UInt32(tag) << 24 | 1 << 16 | UInt32(payloadByteCount & 0xFFFF), as: UInt32.self)
    unsafe memory.storeBytes(of: UInt32(truncatingIfNeeded: vxid), toByteOffset: 4, as: UInt32.self)
    unsafe memory.storeBytes(
      of: UInt32(truncatingIfNeeded: vxid >> 32) & 0x7_FFFF | RecordHeader.topBits(of: side),
      toByteOffset: 8, as: UInt32.self)
  }
}

/// The parts of a header that both layouts share.
public enum RecordHeader {
  /// The tag number of a batch header.
  public static let batchTag: UInt8 = 255
  /// All tag numbers that a header has room for.
  ///
  /// An array, as not optimised it is gone through six times faster than a range of bytes.
  public static let tagNumbers = Array(UInt8.min...UInt8.max)
  /// The longest payload a header can announce.
  public static let payloadByteCountMax = 0xFFFF

  /// The tag number in a header's first word.
  @inlinable
  public static func tag(_ word: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: word >> 24) }

  /// The payload's length in bytes in a header's first word.
  @inlinable
  public static func payloadByteCount(_ word: UInt32) -> Int { Int(word & 0xFFFF) }

  @inlinable
  package static func side(ofTopBits word: UInt32) -> Side {
    if word & 1 << 30 != 0 { return .client }
    return word & 1 << 31 != 0 ? .backend : .none
  }

  @inlinable
  package static func topBits(of side: Side) -> UInt32 {
    switch side {
    case .none: 0
    case .client: 1 << 30
    case .backend: 1 << 31
    }
  }
}
