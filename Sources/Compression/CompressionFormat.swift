/// A format of compressed data that is found out from its first bytes.
public enum CompressionFormat: String, Sendable, CaseIterable {
  /// RFC 1952: members, one behind the other.
  case gzip
  /// RFC 8878: frames, and frames to be skipped, one behind the other.
  case zstd

  /// The format that data with this beginning is in; nil if it is none of them, or too short to tell.
  public init?(beginning: RawSpan) {
    for format in Self.allCases where beginning.byteCount >= format.leadByteCount {
      var lead = Lead()
      for index in 0..<format.leadByteCount {
        unsafe lead.append(beginning.unsafeLoad(fromByteOffset: index, as: UInt8.self))
      }
      guard format.canBegin(with: lead) else { continue }
      self = format
      return
    }
    return nil
  }

  /// How many of its first bytes tell a member or frame.
  var leadByteCount: Int {
    switch self {
    case .gzip: 2
    case .zstd: 4
    }
  }

  /// Whether a member or frame can begin with these bytes, as far as they go.
  func canBegin(with lead: Lead) -> Bool {
    switch self {
    case .gzip: lead.agrees(with: 0x8b1f)
    case .zstd: lead.agrees(with: 0xFD2F_B528) || lead.agrees(with: 0x184D_2A50, ignoring: 0xF)
    }
  }

  /// Whether zeros may follow the data, as on media that are written in whole blocks.
  var allowsPadding: Bool { self == .gzip }
}

/// The first bytes of a member or frame, up to four.
struct Lead {
  private(set) var byteCount = 0
  /// The bytes, the first one lowest.
  private(set) var word: UInt32 = 0

  mutating func append(_ byte: UInt8) {
    word |= UInt32(byte) << (8 * UInt32(byteCount))
    byteCount += 1
  }

  /// Whether `magic` begins with these bytes, apart from the bits to be ignored.
  func agrees(with magic: UInt32, ignoring ignored: UInt32 = 0) -> Bool {
    // A shift by the whole width gives 0, and so a mask of all bits.
    let mask = (UInt32(1) << (8 * UInt32(byteCount))) &- 1
    return (word ^ magic) & mask & ~ignored == 0
  }
}
