import CShims
import VarnishLog

/// How records of each tag look as text: the tag's name with blanks behind it, and what is done with the
/// payload (`vsl-tags.md` 5).
///
/// Plain memory, one entry for each tag number. Owned by whoever makes it and calls `deallocate`.
@safe struct RecordText {
  // Invariant: `entries` has one for every number that a byte can hold.

  /// What is done with a payload.
  enum Kind: UInt8 {
    /// Printed up to its first NUL.
    case plain
    /// The same, with control characters as `%NN`.
    case visible
    /// In quotation marks, with what isn't printable as `%NN`.
    case quoted
    /// The same without the final NUL.
    case quotedWithoutNUL
    /// In brackets, in hexadecimal.
    case hex
  }

  /// One tag's.
  struct Entry {
    /// Fifteen bytes and one that doesn't count.
    var name: (UInt64, UInt64)
    var kind: Kind
  }

  /// The width of a name with the blank behind it.
  static let nameByteCount = 15
  /// The most that a payload of one byte becomes, and what may stand around a payload.
  static let expansion = 3, enclosure = 2

  private let entries: UnsafeMutablePointer<Entry>

  /// - Parameter isForTerminal: whether control characters would be obeyed, so that none is printed.
  init(_ tags: TagTable, version: VarnishVersion, isForTerminal: Bool = false) {
    unsafe entries = .allocate(capacity: 256)
    for number in UInt8.min...UInt8.max {
      let tag = tags.tag(number)
      let kind = tag.map { Self.kind($0, version) } ?? .plain
      unsafe (entries + Int(number)).initialize(
        to: Entry(
          name: Self.padded(tag?.name ?? "(null)"),
          kind: isForTerminal && kind == .plain ? .visible : kind))
    }
  }

  func deallocate() { unsafe entries.deallocate() }

  @inline(__always)
  subscript(tag: UInt8) -> UnsafePointer<Entry> { unsafe UnsafePointer(entries + Int(tag)) }

  private static func padded(_ name: String) -> (UInt64, UInt64) {
    var bytes = (UInt64(0), UInt64(0))
    unsafe withUnsafeMutableBytes(of: &bytes) { buffer in
      for index in buffer.indices { unsafe buffer[index] = UInt8(ascii: " ") }
      // No name is longer than fourteen.
      for (index, byte) in name.utf8.prefix(nameByteCount - 1).enumerated() { unsafe buffer[index] = byte }
    }
    return bytes
  }

  private static func kind(_ tag: Tag, _ version: VarnishVersion) -> Kind {
    let isOld = version < VarnishVersion(6, 0, 0)
    switch tag.flag(in: version) {
    case .unsafe: return .quoted
    case .binary where isOld: return tag == .debug ? .quotedWithoutNUL : .quoted
    case .binary: return .hex
    case .unused, nil: return .plain
    }
  }

  /// Writes a payload.
  ///
  /// - Parameter target: room for `expansion` times the payload and the enclosure.
  /// - Returns: how many bytes were written.
  @inline(__always)
  static func put(_ payload: LogBytes, _ kind: Kind, to target: UnsafeMutableRawPointer) -> Int {
    if kind == .plain {
      return unsafe shim_copy_text(target, payload.start, payload.count)
    }
    return unsafe kind == .visible ? putVisible(payload, to: target) : putEncoded(payload, kind, to: target)
  }

  private static func putVisible(_ payload: LogBytes, to target: UnsafeMutableRawPointer) -> Int {
    var used = 0
    var previous: UInt8 = 0
    for index in 0..<payload.count {
      let byte = unsafe payload.start.load(fromByteOffset: index, as: UInt8.self)
      if byte == 0 { break }
      if isControl(byte, after: previous) {
        unsafe target.storeBytes(of: UInt8(ascii: "%"), toByteOffset: used, as: UInt8.self)
        unsafe target.storeBytes(of: hexDigit(byte >> 4), toByteOffset: used + 1, as: UInt8.self)
        unsafe target.storeBytes(of: hexDigit(byte & 15), toByteOffset: used + 2, as: UInt8.self)
        used += 3
      } else {
        unsafe target.storeBytes(of: byte, toByteOffset: used, as: UInt8.self)
        used += 1
      }
      previous = byte
    }
    return used
  }

  /// Whether a terminal obeys a byte: also as the second of a character from U+0080 to U+009F, or by itself in an
  /// encoding of one byte to a character.
  private static func isControl(_ byte: UInt8, after previous: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "\t"): false
    case 0..<0x20, 0x7f: true
    case 0x80..<0xa0: previous == 0xc2 || previous < 0x80
    default: false
    }
  }

  private static func hexDigit(_ digit: UInt8) -> UInt8 { digit < 10 ? 0x30 + digit : 0x61 + digit - 10 }

  private static func putEncoded(
    _ payload: LogBytes, _ kind: Kind, to target: UnsafeMutableRawPointer
  ) -> Int {
    var used = 0
    func put(_ byte: UInt8) {
      unsafe target.storeBytes(of: byte, toByteOffset: used, as: UInt8.self)
      used += 1
    }
    func putHex(_ byte: UInt8) {
      for digit in [byte >> 4, byte & 15] { put(hexDigit(digit)) }
    }
    let isHex = kind == .hex
    var rest = payload
    if kind == .quotedWithoutNUL, rest.count > 0, rest[rest.count - 1] == 0 {
      rest = rest.prefix(rest.count - 1)
    }
    put(UInt8(ascii: isHex ? "[" : "\""))
    for index in 0..<rest.count {
      let byte = unsafe rest.start.load(fromByteOffset: index, as: UInt8.self)
      if isHex {
        putHex(byte)
      } else if (0x20...0x7E).contains(byte) {
        put(byte)
      } else {
        put(UInt8(ascii: "%"))
        putHex(byte)
      }
    }
    put(UInt8(ascii: isHex ? "]" : "\""))
    return used
  }
}
