/// The header of a spool's file, stored twice: the kind of its entries, the checkpoint of their marks, and
/// the frames' key.
///
/// ```
/// 0 magic number and version   8 what the entries are   16 key   20 checksum   24 what the marks belong to
/// ```
///
/// in little-endian words, and the same again from byte 32 on: a flipped bit must not cost a whole file. The
/// checksum is that of all other bytes; in files whose marks belong to no checkpoint, it is that of the first
/// 20 bytes, as in version 0.1.0.
struct SpoolFileHeader: Equatable {
  static let byteCount = 2 * copyByteCount
  private static let copyByteCount = 32
  private static let checkedByteCount = 20
  private static let lineageOffset = 24
  private static let magic: UInt64 = 0x314c_4f4f_5053_5753  // "SWSPOOL1"

  /// The kind of the entries; 0 for lines.
  let kind: UInt64
  /// The initial value of the checksums of the file's frames.
  let key: UInt32
  /// The checkpoint that the entries' marks belong to; 0 if there is none.
  let lineage: UInt64

  init(kind: UInt64, key: UInt32, lineage: UInt64 = 0) {
    self.kind = kind
    self.key = key
    self.lineage = lineage
  }

  /// Reads a header; nil if neither half of these bytes is valid.
  init?(_ bytes: [UInt8]) {
    for start in [0, Self.copyByteCount] where bytes.count >= start + Self.copyByteCount {
      if let header = Self.read(bytes[start...].prefix(Self.copyByteCount)) {
        self = header
        return
      }
    }
    return nil
  }

  private static func read(_ copy: ArraySlice<UInt8>) -> SpoolFileHeader? {
    unsafe copy.withUnsafeBytes { copy in
      let lineage = unsafe copy.loadUnaligned(fromByteOffset: lineageOffset, as: UInt64.self).littleEndian
      guard unsafe copy.loadUnaligned(as: UInt64.self).littleEndian == magic,
        unsafe copy.loadUnaligned(fromByteOffset: checkedByteCount, as: UInt32.self).littleEndian
          == checksum(copy, lineage)
      else { return nil }
      return unsafe SpoolFileHeader(
        kind: copy.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian,
        key: copy.loadUnaligned(fromByteOffset: 16, as: UInt32.self).littleEndian, lineage: lineage)
    }
  }

  private static func checksum(_ copy: UnsafeRawBufferPointer, _ lineage: UInt64) -> UInt32 {
    let start = unsafe SpoolFrame.checksum(UnsafeRawBufferPointer(rebasing: copy[..<checkedByteCount]))
    if lineage == 0 { return start }
    return unsafe withUnsafeBytes(of: lineage.littleEndian) {
      unsafe SpoolFrame.checksum(continuing: start, $0)
    }
  }

  /// The header as it is stored.
  var bytes: [UInt8] {
    var copy: [UInt8] = []
    func append(_ value: some FixedWidthInteger) {
      unsafe withUnsafeBytes(of: value.littleEndian) { unsafe copy += $0 }
    }
    append(Self.magic)
    append(kind)
    append(key)
    unsafe append(copy.withUnsafeBytes { unsafe Self.checksum($0, lineage) })
    append(lineage)
    return copy + copy
  }
}
