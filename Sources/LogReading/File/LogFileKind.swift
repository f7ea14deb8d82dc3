public import VarnishLog

/// What a binary log file holds.
public enum LogFileKind: Sendable, Equatable {
  /// Records as 4.0 to 7.2 write them, behind a marker.
  case narrow
  /// Records as 7.3 and newer write them, behind a marker.
  case wide
  /// Records of 2.0, 2.1 or 3.0, from the first byte on.
  case old(TagNumbering)

  /// The kind of file that a release with this numbering writes.
  public init(of numbering: TagNumbering) {
    switch numbering {
    case .v20, .v21, .v30: self = .old(numbering)
    case .v40, .v41: self = .narrow
    case .v73, .v90: self = .wide
    }
  }
}

/// Finds out from a file's first bytes what it holds (`shm-layout.md` 7).
///
/// What 4.0 and later write has a marker. Older files have none, and are known by a chain of records that only such a
/// file begins with: tags that the generation has, descriptors as processes have them, lengths that lead from one
/// record to the next, with a NUL in the right place in 2.x and zeros above the length in 3.0. Of eight such records
/// in a row, bytes that are no log would have to agree in more than a hundred bits; shorter files must fit to their
/// last record, which has to be text.
struct LogFileProbe {
  /// How many bytes are looked at: eight records of the usual longest are 2 KiB.
  static let byteCount = 4096
  private static let recordCount = 8

  /// The kind of a file that begins with these bytes; nil if it is no log.
  ///
  /// - Parameters:
  ///   - beginning: up to `byteCount` bytes, at an address that is a multiple of 4; at least four.
  static func kind(_ beginning: UnsafeRawBufferPointer) -> LogFileKind? {
    if let kind = unsafe markedKind(beginning) { return kind }
    let candidates: [(TagNumbering, Int?)] = unsafe [
      (.v30, chain(Records30.self, beginning)), (.v21, chain(Records21.self, beginning)),
      (.v20, chain(Records20.self, beginning)),
    ]
    // Two chains through the same bytes are very unlikely; the longer one counts.
    let best = candidates.max { ($0.1 ?? 0) < ($1.1 ?? 0) }
    guard let best, let length = best.1, length > 0 else { return nil }
    return .old(best.0)
  }

  /// The kind of a file whose first four bytes are a marker; nil if they aren't.
  static func markedKind(_ beginning: UnsafeRawBufferPointer) -> LogFileKind? {
    switch unsafe beginning.load(as: UInt32.self) {
    case NarrowRecords.fileMagic: .narrow
    case WideRecords.fileMagic: .wide
    default: nil
    }
  }

  /// How many bytes the records take that a file begins with; nil if it doesn't begin like a file of them.
  private static func chain<Format: LegacyFormat>(_: Format.Type, _ bytes: UnsafeRawBufferPointer) -> Int? {
    guard let start = bytes.baseAddress else { return nil }
    let tags = TagTable(Format.numbering)
    var offset = 0
    var count = 0
    var hasText = false
    while count < recordCount {
      guard
        case .record(let record, let byteCount) = unsafe Format.item(
          at: start + offset, byteCount: bytes.count - offset)
      else { break }
      guard tags.tag(record.tag) != nil, isDescriptor(record.descriptor) else { break }
      offset += byteCount
      count += 1
      hasText = hasText || isText(record.payload)
    }
    guard count > 0, hasText else { return nil }
    if count == recordCount { return offset }
    // A file that ends within a record begins like any other; so does one with damage behind its first
    // records.
    if unsafe isIncomplete(Format.item(at: start + offset, byteCount: bytes.count - offset)) { return offset }
    return count >= 3 ? offset : nil
  }

  private static func isIncomplete(_ item: LegacyItem) -> Bool {
    if case .incomplete = item { true } else { false }
  }

  /// Whether a number is a process's descriptor, or -1, which records of no connection may have.
  private static func isDescriptor(_ number: UInt32) -> Bool {
    number < ConnectionSides.descriptorCount || number == .max
  }

  private static func isText(_ payload: LogBytes) -> Bool {
    unsafe payload.count > 0 && payload.buffer.allSatisfy { $0 >= 0x20 || $0 == 0x09 }
  }
}
