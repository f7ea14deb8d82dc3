import CZlib
import Glibc

/// The header in front of a block of whole entries in a file of a spool.
///
/// ```
/// 0 magic   4 checksum of the header   8 checksum of the body   12 number of entries
/// 16 sequence number of the first entry       24 bytes of the entries
/// ```
///
/// in little-endian words. The body follows: the entries, then their slots, the last one first, as they lie in a
/// block. In frames of version 0.1.0, of another magic number, the slots are the four bytes of the end alone.
///
/// The header's checksum starts from a random key that each file has of its own: text that a client has put
/// into an entry is never taken for a header behind a damaged frame. Frames begin at multiples of 64 bytes,
/// so that the next frame can be found behind a damaged one.
struct SpoolFrame: Equatable {
  static let byteCount = 32
  static let alignment = 64
  private static let magic: UInt32 = 0x4752_5753  // "SWRG"
  private static let formerMagic: UInt32 = 0x4652_5753  // "SWRF"
  /// How large a slot is in a frame of version 0.1.0.
  static let formerSlotBytes = 4

  let firstSequence: Int
  let entryCount: Int
  let entryBytes: Int
  let bodyChecksum: UInt32
  /// How large the slots are.
  let slotBytes: Int

  /// A frame for all entries of a block.
  init(_ body: Body, firstSequence: Int) {
    self.firstSequence = firstSequence
    entryCount = body.entryCount
    entryBytes = unsafe body.entries.count
    bodyChecksum = body.checksum
    slotBytes = SpoolBlock.slotBytes
  }

  /// Reads a header; nil if these bytes are none.
  init?(_ bytes: UnsafeRawBufferPointer, key: UInt32) {
    guard bytes.count >= Self.byteCount else { return nil }
    switch unsafe Self.word(bytes, 0) {
    case Self.magic: slotBytes = SpoolBlock.slotBytes
    case Self.formerMagic: slotBytes = Self.formerSlotBytes
    default: return nil
    }
    let checked = unsafe UnsafeRawBufferPointer(rebasing: bytes[8..<Self.byteCount])
    guard unsafe Self.word(bytes, 4) == Self.checksum(continuing: key, checked) else { return nil }
    bodyChecksum = unsafe Self.word(bytes, 8)
    entryCount = unsafe Int(Self.word(bytes, 12))
    let sequence = unsafe bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self).littleEndian
    let byteCount = unsafe bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self).littleEndian
    // Checked even if the checksum is right: the code behind this never computes with impossible numbers.
    guard entryCount > 0, sequence < 1 << 62, byteCount >= UInt64(entryCount),
      byteCount <= UInt64(SpoolBlock.entryBytesMax)
    else { return nil }
    firstSequence = Int(sequence)
    entryBytes = Int(byteCount)
  }

  /// The header as it is stored.
  func bytes(key: UInt32) -> [UInt8] {
    var bytes: [UInt8] = []
    func append(_ value: some FixedWidthInteger) {
      unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes += $0 }
    }
    append(bodyChecksum)
    append(UInt32(entryCount))
    append(UInt64(firstSequence))
    append(UInt64(entryBytes))
    let checksum = unsafe bytes.withUnsafeBytes { unsafe Self.checksum(continuing: key, $0) }
    let rest = bytes
    bytes = []
    append(Self.magic)
    append(checksum)
    return bytes + rest
  }

  /// The size of the entries and slots behind the header.
  var bodyByteCount: Int { entryBytes + entryCount * slotBytes }

  /// The size of the frame in a file, padding included.
  var paddedByteCount: Int { Self.padded(Self.byteCount + bodyByteCount) }

  /// The sequence number behind its last entry.
  var endSequence: Int { firstSequence + entryCount }

  /// The sequence numbers of all its entries.
  var sequences: Range<Int> { firstSequence..<endSequence }

  /// The tally of all its entries.
  var tally: Tally { Tally(entries: entryCount, bytes: entryBytes) }

  static func padded(_ byteCount: Int) -> Int { (byteCount + alignment - 1) / alignment * alignment }

  private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
    unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self).littleEndian
  }

  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    unsafe checksum(continuing: 0, bytes)
  }

  static func checksum(continuing start: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    unsafe UInt32(
      truncatingIfNeeded: crc32_z(
        uLong(start), bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count))
  }

  /// The entries of a block and their slots, as they lie in it.
  @safe struct Body {
    let entries: UnsafeRawBufferPointer
    let slots: UnsafeRawBufferPointer
    let entryCount: Int

    var checksum: UInt32 {
      unsafe SpoolFrame.checksum(continuing: SpoolFrame.checksum(entries), slots)
    }
  }
}
