import CShims
package import SharedMemory
package import VarnishLog

/// The bytes of a log that isn't followed: a copy of a ring, or a file that is searched for what is whole.
///
/// They lie in a mapping, and may change while they are read, as when the ring of a running server was named: the
/// bytes of a record are checked and handed out as a copy, or transactions are made of them in other memory.
@safe package struct LogImage: ~Copyable {
  let mapping: ReadOnlyMapping
  /// The image's name in messages, whose offsets count from the image's beginning.
  package let path: String
  package let incarnation: LogIncarnation
  /// Whether the image was decoded from a compressed file, so that offsets count decoded bytes.
  package let isDecoded: Bool
  /// The pieces in which records are looked for, in the order in which they were written.
  package let extents: [Extent]
  /// The part of the log that is missing because the file was cut.
  package let missing: Range<Int>
  /// Whether older records follow the mark behind the newest ones.
  let hasFormer: Bool
  /// The fault behind the last byte, if the image couldn't be decoded any further.
  let fault: LogError?

  /// A piece of an image in which one record follows the other.
  package struct Extent: Equatable, Sendable {
    /// Bytes from the beginning of the image.
    package var bytes: Range<Int>
    package var end: End

    /// What may stand behind its last record.
    package enum End: Sendable {
      /// The next piece's first record, at once.
      case joined
      /// A mark that the ring starts over, anywhere.
      case wrap
      /// A mark that nothing more was written, anywhere.
      case tail
      /// The end of the file, which may cut a record.
      case file
    }
  }

  package init(
    _ mapping: consuming ReadOnlyMapping, path: String, incarnation: LogIncarnation, isDecoded: Bool,
    extents: [Extent], missing: Range<Int> = 0..<0, hasFormer: Bool = false, fault: LogError? = nil
  ) {
    self.mapping = mapping
    self.path = path
    self.incarnation = incarnation
    self.isDecoded = isDecoded
    self.extents = extents
    self.missing = missing
    self.hasFormer = hasFormer
    self.fault = fault
  }

  /// Whether nothing was ever written to a range: a new file is full of zeros.
  static func isUnwritten(_ mapping: borrowing ReadOnlyMapping, _ bytes: Range<Int>) -> Bool {
    unsafe UnsafeRawBufferPointer(start: mapping.base + bytes.lowerBound, count: bytes.count)
      .allSatisfy { $0 == 0 }
  }

  /// Where the first end mark is, at a multiple of four bytes from the beginning of the range.
  static func endMark(_ mapping: borrowing ReadOnlyMapping, in bytes: Range<Int>) -> Int? {
    let end = min(bytes.upperBound, mapping.byteCount) - 4
    guard bytes.lowerBound <= end else { return nil }
    return stride(from: bytes.lowerBound, through: end, by: 4).first {
      unsafe mapping.base.loadUnaligned(fromByteOffset: $0, as: UInt32.self) == Mark.end
    }
  }

  /// The word at an offset; its four bytes have to be in the image.
  @inline(__always)
  func word(at offset: Int) -> UInt32 {
    unsafe mapping.base.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
  }

  /// A ring's marks; those of rings with two and three header words are the same.
  enum Mark {
    static let end: UInt32 = 0xFE45_4545
    static let wrap: UInt32 = 0xFE57_5757
  }
}
