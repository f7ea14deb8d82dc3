import TestSupport

/// Shared-memory files of servers before 5.2, as bytes.
enum SharedMemoryBytes {
  /// Writes numbers and texts at given offsets.
  struct Builder {
    private(set) var bytes: [UInt8]

    init(_ byteCount: Int) { bytes = [UInt8](repeating: 0, count: byteCount) }

    mutating func set<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
      let count = Number.bitWidth / 8
      bytes.replaceSubrange(
        offset..<offset + count, with: withUnsafeBytes(of: number.littleEndian, Array.init))
    }

    mutating func set(_ text: String, at offset: Int) {
      bytes.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
    }
  }

  /// A section of 3.0 or a chunk of 4.0 to 5.1.
  struct Section {
    var kind: String, type = "", name = ""
    var payload: [UInt8] = [UInt8](repeating: 0, count: 64)
    /// Whether a chunk was freed but left in place.
    var isFreed = false
  }

  /// A file of 2.1: a log that has only the end mark and was begun anew `turns` times.
  static func flat(master: Int32, child: Int32, birth: Int64, turns: UInt64, pointer: UInt32) -> [UInt8] {
    let head = 40 + 8 * 107 + 65536
    var file = Builder(head + 304 + 8192)
    file.set(UInt32(4_185_512_499), at: 0)
    file.set(UInt32(head), at: 4)
    file.set(birth, at: 8)
    file.set(master, at: 16)
    file.set(child, at: 20)
    file.set(UInt32(head + 304), at: 24)
    file.set(UInt32(8192), at: 28)
    file.set(pointer, at: 32)
    file.set(turns, at: 40 + 8 * 66)
    return file.bytes
  }

  /// A file of 3.0.
  static func sections(_ sections: [Section], master: Int32 = 0, child: Int32 = 0) -> [UInt8] {
    let size = sections.reduce(65568) { $0 + 156 + $1.payload.count }
    var file = Builder(size)
    file.set(UInt32(4_185_512_502), at: 0)
    file.set(UInt32(65728), at: 4)
    file.set(Int64(1_700_000_000), at: 8)
    file.set(master, at: 16)
    file.set(child, at: 20)
    file.set(UInt32(size), at: 24)
    file.set(UInt32(1), at: 65564)
    var at = 65568
    for section in sections {
      file.set(UInt32(0x4390_7B6E), at: at)
      file.set(UInt32(156 + section.payload.count), at: at + 4)
      file.set(section.kind, at: at + 12)
      file.set(section.type, at: at + 20)
      file.set(section.name, at: at + 28)
      for (index, byte) in section.payload.enumerated() { file.set(byte, at: at + 156 + index) }
      at += 156 + section.payload.count
    }
    return file.bytes
  }

  /// A file of 4.0 to 5.1; freed chunks aren't in the list.
  ///
  /// - Parameter loops: whether the last chunk links back to the first one.
  static func chunks(_ chunks: [Section], listNumber: UInt32, loops: Bool = false) -> [UInt8] {
    var places: [Int] = []
    var size = 48
    for chunk in chunks {
      places.append(size)
      size += 168 + chunk.payload.count
    }
    var file = Builder(size)
    file.set("VSMHEAD0", at: 0)
    file.set(Int64(48), at: 8)
    file.set(Int64(size), at: 16)
    file.set(Int64(places[0]), at: 24)
    file.set(listNumber, at: 32)
    file.set(UInt64(12), at: 40)
    for (index, chunk) in chunks.enumerated() {
      let at = places[index]
      let next = chunks.indices.dropFirst(index + 1).first { !chunks[$0].isFreed }
      file.set("VSMCHUNK", at: at)
      file.set(chunk.isFreed ? Int64(0) : Int64(168 + chunk.payload.count), at: at + 8)
      file.set(Int64(next.map { places[$0] } ?? (loops ? places[0] : 0)), at: at + 16)
      file.set(chunk.kind, at: at + 24)
      file.set(chunk.type, at: at + 32)
      file.set(chunk.name, at: at + 40)
      for (offset, byte) in chunk.payload.enumerated() { file.set(byte, at: at + 168 + offset) }
    }
    return file.bytes
  }

  /// A ring of 4.1 that has wrapped once and is being written in its third eighth, without records.
  static var ring: [UInt8] {
    var ring = Builder(88 + 8 * 64 * 4)
    ring.set("VSLHEAD1", at: 0)
    ring.set(Int64(64), at: 8)
    // Segments are counted from 0xFFFFFFF8, that of the first eighth.
    ring.set(UInt32(2), at: 16)
    for index in 0..<8 { ring.set(Int64(index * 64), at: 24 + 8 * index) }
    for index in 0..<8 * 64 { ring.set(UInt32(0xFE45_4545), at: 88 + 4 * index) }
    return ring.bytes
  }
}
