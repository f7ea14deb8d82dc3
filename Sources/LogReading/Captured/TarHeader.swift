/// The header of a member of a tar archive: 512 bytes, as `tar` of any kind has written them since 1979.
///
/// ```
/// byte 0    name        100 bytes, up to a NUL
///      124  size        12 bytes: octal digits, or from GNU tar a number of which the first bit is set
///      148  checksum    8 bytes: the sum of all bytes, blanks in place of these
///      156  kind        a letter
///      257  marker      `ustar` and NUL, or in GNU's form `ustar` and a blank
///      345  prefix      155 bytes that belong in front of the name; not in GNU's form
/// ```
struct TarHeader {
  static let byteCount = 512

  /// What the member is.
  enum Kind: Equatable {
    case file
    case directory
    /// The next member's name, which is too long for its own header: GNU's form.
    case longName
    /// Attributes of the next member, as lines: the form of POSIX 2001.
    case extended
    /// A file that was stored without its empty parts.
    case sparse
    /// A link, a device, or attributes of all members that follow.
    case other
  }

  let name: [UInt8]
  let size: Int
  let kind: Kind

  /// Why bytes are no header.
  enum Mistake: Error {
    case checksum
    case size
  }

  /// Reads a header.
  ///
  /// - Parameter bytes: 512 of them.
  init(_ bytes: [UInt8]) throws(Mistake) {
    guard Self.hasChecksum(bytes) else { throw .checksum }
    kind =
      switch bytes[156] {
      case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
        bytes[..<100].prefix { $0 != 0 }.last == 0x2F ? .directory : .file
      case UInt8(ascii: "5"): .directory
      case UInt8(ascii: "L"): .longName
      case UInt8(ascii: "x"): .extended
      case UInt8(ascii: "S"): .sparse
      default: .other
      }
    guard let size = Self.number(bytes[124..<136]) else { throw .size }
    // The header of a link or directory may name a size although no content follows.
    self.size = kind == .directory || Self.isLink(bytes[156]) ? 0 : size
    var name = Array(bytes[..<100].prefix { $0 != 0 })
    let prefix = bytes[345..<500].prefix { $0 != 0 }
    if bytes[257..<263].elementsEqual("ustar\0".utf8), !prefix.isEmpty { name = prefix + [0x2F] + name }
    self.name = name
  }

  /// Whether bytes can be a header; the surest sign of a tar archive.
  static func hasChecksum(_ bytes: [UInt8]) -> Bool {
    guard bytes.count == byteCount, bytes[0] != 0, let sum = number(bytes[148..<156]) else { return false }
    let field = 148..<156
    // Some tar programs have added up the bytes as signed numbers.
    var (plain, signed) = (8 * 0x20, 8 * 0x20)
    for (index, byte) in bytes.enumerated() where !field.contains(index) {
      plain += Int(byte)
      signed += Int(Int8(bitPattern: byte))
    }
    return sum == plain || sum == signed
  }

  private static func isLink(_ kind: UInt8) -> Bool { (UInt8(ascii: "1")...UInt8(ascii: "6")).contains(kind) }

  /// A number in a field; nil if there is none, or one larger than any file.
  static func number(_ field: ArraySlice<UInt8>) -> Int? {
    guard let first = field.first else { return nil }
    var value = 0
    if first & 0x80 != 0 {
      // 0xFF would begin a negative number.
      guard first == 0x80 else { return nil }
      for byte in field.dropFirst() {
        guard value < 1 << 54 else { return nil }
        value = value << 8 | Int(byte)
      }
      return value
    }
    let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
    for digit in digits {
      guard (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit), value < 1 << 59 else { return nil }
      value = value << 3 | Int(digit - 0x30)
    }
    return value
  }
}
