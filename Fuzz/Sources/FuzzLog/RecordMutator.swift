import CFuzz
import VarnishLog

/// Changes an input record by record, so that the result is still a log.
///
/// When libFuzzer's own mutations insert or remove a byte, all records behind it become garbage. These
/// mutations change a payload and correct its length, change a record's tag or transaction, or move whole
/// records.
struct RecordMutator {
  private var bytes: [UInt8]
  private var random: SplitMix
  private let headerByteCount: Int
  /// Whether records have to stay where they are, as in a segment.
  private let isInPlace: Bool
  /// The byte ranges of the records.
  private var records: [Range<Int>] = []

  private static let payloadByteCountMax = 300

  /// Looks for records in an input; nil if there are none.
  init?(_ bytes: [UInt8], seed: UInt32) {
    guard let scenario = bytes.withUnsafeBufferPointer(Scenario.init) else { return nil }
    self.bytes = bytes
    random = SplitMix(state: UInt64(seed))
    let first: Int
    switch scenario.medium {
    case .index, .memory, .archive, .oldFile: return nil
    case .file:
      first = Scenario.headByteCount + 4
      isInPlace = false
    case .ring:
      first = Scenario.headByteCount + SegmentHead.byteCount
      isInPlace = true
    }
    guard bytes.count > first else { return nil }
    // "VSL\0" and "VSL2", "VSLHEAD1" and "VSLHEAD2".
    let marker = bytes[isInPlace ? Scenario.headByteCount + 7 : Scenario.headByteCount + 3]
    headerByteCount =
      marker == UInt8(ascii: "2") ? WideRecords.headerByteCount : NarrowRecords.headerByteCount
    findRecords(from: first)
    if records.isEmpty { return nil }
  }

  private mutating func findRecords(from first: Int) {
    var at = first
    while at + headerByteCount <= bytes.count {
      let byteCount = headerByteCount + (payloadByteCount(at) + 3) & ~3
      guard at + byteCount <= bytes.count, bytes[at + 3] != 0xFE else { return }
      records.append(at..<at + byteCount)
      at += byteCount
    }
  }

  private func payloadByteCount(_ record: Int) -> Int {
    Int(bytes[record]) | Int(bytes[record + 1]) << 8
  }

  /// The input with one change.
  mutating func mutated() -> [UInt8] {
    let record = random.element(of: records)
    let other = random.element(of: records)
    switch random.next() % 12 {
    case 0...5: changePayload(of: record)
    case 6: bytes[record.lowerBound + 3] = bytes[other.lowerBound + 3]
    case 7:
      bytes.replaceSubrange(
        record.lowerBound + 4..<record.lowerBound + headerByteCount,
        with: bytes[other.lowerBound + 4..<other.lowerBound + headerByteCount])
    case 8 where !isInPlace: bytes.insert(contentsOf: bytes[other], at: record.lowerBound)
    case 9 where !isInPlace: bytes.removeSubrange(record)
    default: bytes[Int(random.next() % 8)] = UInt8(truncatingIfNeeded: random.next())
    }
    return bytes
  }

  private mutating func changePayload(of record: Range<Int>) {
    let start = record.lowerBound + headerByteCount
    let room = isInPlace ? record.upperBound - start : Self.payloadByteCountMax
    var payload = Array(bytes[start..<start + payloadByteCount(record.lowerBound)].prefix(room))
    // The payload's NUL stays at its end.
    let hasNUL = payload.last == 0
    if hasNUL { payload.removeLast() }
    let count = payload.count
    let countMax = max(count, room - 1)
    guard countMax > 0 else { return }
    payload += [UInt8](repeating: 0, count: countMax - count)
    let newCount = LLVMFuzzerMutate(&payload, count, countMax)
    payload.removeLast(countMax - newCount)
    if hasNUL, payload.count < room { payload.append(0) }
    bytes[record.lowerBound] = UInt8(truncatingIfNeeded: payload.count)
    bytes[record.lowerBound + 1] = UInt8(truncatingIfNeeded: payload.count >> 8)
    let end = isInPlace ? record.upperBound : start + (payload.count + 3) & ~3
    payload += [UInt8](repeating: 0, count: end - start - payload.count)
    bytes.replaceSubrange(start..<record.upperBound, with: payload)
  }
}

/// Random numbers that a seed determines.
struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  mutating func element(of ranges: [Range<Int>]) -> Range<Int> {
    ranges[Int(next() % UInt64(ranges.count))]
  }
}
