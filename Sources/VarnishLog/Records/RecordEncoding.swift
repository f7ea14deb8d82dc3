/// How a writer's records lie in memory; chosen when the log is made.
package enum RecordEncoding: Sendable {
  /// Two header words, 4.1 to 7.2.
  case narrow
  /// Three header words, 7.3 and newer.
  case wide
  /// Two header words, a descriptor's number in place of a transaction's, no NUL: 3.0.
  case old

  /// The size of a record's header in bytes.
  package var headerByteCount: Int {
    self == .wide ? WideRecords.headerByteCount : NarrowRecords.headerByteCount
  }

  /// The size of the header in front of a batch's records; 0 in 3.0, which has no batches.
  package var batchHeaderByteCount: Int { self == .old ? 0 : headerByteCount }

  /// Whether a text ends with a NUL.
  package var terminatesText: Bool { self != .old }

  /// The largest number of a transaction.
  package var largestVXID: UInt64 {
    switch self {
    case .narrow: 0x3FFF_FFFF
    case .wide: 1 << 51 - 1
    case .old: UInt64(UInt32.max)
    }
  }

  /// Whether a record can have this number: only 3.0 gives 0 a meaning, anywhere else a reader would take it
  /// for damage, as it would a mark's.
  @inline(__always)
  package func canHave(_ number: UInt8) -> Bool { number < TagNumbers.none && (number > 0 || self == .old) }

  /// Writes a record's header; `memory` has room for it and is aligned to a word.
  @inline(__always)
  package func writeHeader(
    to memory: UnsafeMutableRawPointer, tag: UInt8, payloadByteCount: Int, vxid: UInt64, side: Side
  ) {
    switch self {
    case .narrow:
      unsafe NarrowRecords.writeHeader(
        to: memory, tag: tag, payloadByteCount: payloadByteCount, vxid: vxid, side: side)
    case .wide:
      unsafe WideRecords.writeHeader(
        to: memory, tag: tag, payloadByteCount: payloadByteCount, vxid: vxid, side: side)
    case .old:
      unsafe memory.storeBytes(of: UInt32(tag) << 24 | UInt32(payloadByteCount & 0xFFFF), as: UInt32.self)
      // A connection's descriptor: readers know no larger ones than 16 bits.
      unsafe memory.storeBytes(of: UInt32(vxid & 0xFFFF), toByteOffset: 4, as: UInt32.self)
    }
  }

  /// Writes what stands in front of a batch.
  @inline(__always)
  package func writeBatchHeader(to memory: UnsafeMutableRawPointer, byteCount: Int) {
    guard self != .old else { return }
    unsafe memory.storeBytes(of: UInt32(RecordHeader.batchTag) << 24, as: UInt32.self)
    unsafe memory.storeBytes(of: UInt32(byteCount), toByteOffset: 4, as: UInt32.self)
    if self == .wide { unsafe memory.storeBytes(of: 0, toByteOffset: 8, as: UInt32.self) }
  }

  /// The numbers of the tags, one for each case; `TagNumbers.none` where a log of this format has none.
  package func tagNumbers(_ numbering: TagNumbering) -> [UInt8] {
    if self == .old {
      let table = TagTable(.v30)
      return Tag.allCases.map { $0.numberIn30 ?? table.number(of: $0) ?? TagNumbers.none }
    }
    let table = TagTable(numbering)
    return Tag.allCases.map { table.number(of: $0) ?? TagNumbers.none }
  }
}

/// Stands for a tag that has no number.
package enum TagNumbers {
  /// A number that is reserved in every log with marks.
  package static let none: UInt8 = 254
}
