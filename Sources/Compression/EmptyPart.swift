/// The beginning of files that hold nothing yet, and how it is replaced once there is a first part.
///
/// A file of no bytes is no valid file of either format, so one begins with an empty part. Programs that read only one
/// part would see nothing of what follows. So once the first part stands behind the empty one, the bytes from the
/// beginning of the file to the end of the first part's header are replaced, all at once, by that header and blocks of
/// nothing:
///
///     empty part | header | data and trailer
///     header | empty blocks | data and trailer
///
/// The file is valid before and after, and as long as it was.
extension CompressionFormat {
  /// A whole part that holds nothing.
  public var emptyPart: [UInt8] {
    switch self {
    // The header, a block that ends at once, and a sum and a length of 0.
    case .gzip: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0] + [UInt8](repeating: 0, count: 8)
    // The header, with a length of 0, and a last block of no bytes.
    case .zstd: [0x28, 0xB5, 0x2F, 0xFD, 0x20, 0, 1, 0, 0]
    }
  }

  /// Blocks that hold nothing and aren't the last ones, just as long as the empty part.
  private var emptyBlocks: [UInt8] {
    switch self {
    // Four stored blocks: RFC 1951, 3.2.4.
    case .gzip: Array(repeatElement([0, 0, 0, 0xFF, 0xFF], count: 4).joined())
    // Three raw blocks: RFC 8878, 3.1.1.2.
    case .zstd: [UInt8](repeating: 0, count: 9)
    }
  }

  /// The beginning of a file in which a first part has taken in the empty one in front of it, which is to
  /// replace as many bytes.
  ///
  /// - Parameter part: the first part, from its beginning on.
  /// - Returns: at most 64 bytes; nil if the part begins in another way than those that are made here.
  public func joinedBeginning(_ part: [UInt8]) -> [UInt8]? {
    headerByteCount(of: part).map { part.prefix($0) + emptyBlocks }
  }

  /// Whether a file begins with a first part that has taken in the empty one.
  ///
  /// - Parameter beginning: its first 64 bytes, or all that it has.
  public func isJoined(_ beginning: [UInt8]) -> Bool {
    guard let header = headerByteCount(of: beginning) else { return false }
    return beginning.dropFirst(header).starts(with: emptyBlocks)
  }

  /// How long the header of a part is; nil if it isn't one of those that are made here, or cut off.
  private func headerByteCount(of part: [UInt8]) -> Int? {
    let count: Int
    switch self {
    case .gzip:
      guard part.starts(with: [0x1F, 0x8B, 8, 0]) else { return nil }
      count = 10
    case .zstd:
      guard part.starts(with: [0x28, 0xB5, 0x2F, 0xFD]), part.count > 4 else { return nil }
      // RFC 8878, 3.1.1.1: a window unless there is a single segment, a dictionary, and the content's length.
      let flags = part[4]
      let isSingleSegment = flags & 0x20 != 0
      let dictionary = [0, 1, 2, 4][Int(flags & 3)]
      let length = [isSingleSegment ? 1 : 0, 2, 4, 8][Int(flags >> 6)]
      count = 5 + (isSingleSegment ? 0 : 1) + dictionary + length
    }
    return part.count >= count ? count : nil
  }
}
