import CShims
import VarnishLog

/// How records of each tag are shown as text: the tag's name with blanks behind it, and the treatment of the
/// payload (`vsl-tags.md` 5).
///
/// Plain memory, one entry for each tag number. Its maker owns it and calls `deallocate`.
@safe struct RecordText {
  // Invariant: `entries` has an element for every number that a byte can hold.

  /// How a payload is written.
  enum Kind: UInt8 {
    /// Printed up to its first NUL.
    case plain
    /// As `plain`, with control characters as `%NN`.
    case visible
    /// In quotation marks, with unprintable bytes as `%NN`.
    case quoted
    /// As `quoted`, without the final NUL.
    case quotedWithoutNUL
    /// In brackets, in hexadecimal.
    case hex
  }

  /// The entry of one tag.
  struct Entry {
    /// Fifteen bytes and one that isn't used.
    var name: (UInt64, UInt64)
    var kind: Kind
  }

  /// The width of a name with the blank behind it.
  static let nameByteCount = 15
  /// How many bytes a byte of a payload becomes at most, and how many may enclose a payload.
  static let expansion = 3, enclosure = 2
  /// How many bytes behind a text may be overwritten: it is copied sixteen bytes at a time.
  static let overhang = 15

  private let entries: UnsafeMutablePointer<Entry>

  /// Makes the table.
  ///
  /// - Parameter isForTerminal: whether a terminal would obey control characters, so that none is printed.
  init(_ tags: TagTable, version: VarnishVersion, isForTerminal: Bool = false) {
    unsafe entries = .allocate(capacity: 256)
    for number in RecordHeader.tagNumbers {
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
  /// - Parameter target: room for the payload if it is plain, or else for `expansion` times the payload and the
  ///   enclosure, and for the overhang.
  /// - Returns: how many bytes were written.
  @inline(__always)
  static func put(_ payload: LogBytes, _ kind: Kind, to target: UnsafeMutableRawPointer) -> Int {
    if kind == .plain {
      // Without the final NUL that nearly all payloads have, nothing stops the copy, which is fastest then.
      let text = payload.droppingFinalNUL
      return unsafe shim_copy_text(target, text.start, text.count)
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
        unsafe putEscape(byte, to: target + used)
        used += 3
      } else {
        unsafe target.storeBytes(of: byte, toByteOffset: used, as: UInt8.self)
        used += 1
      }
      previous = byte
    }
    return used
  }

  /// Whether a terminal obeys a byte: also as the second byte of a character from U+0080 to U+009F, or by
  /// itself in a single-byte encoding.
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
    let text = kind == .quotedWithoutNUL ? payload.droppingFinalNUL : payload
    let isHex = kind == .hex
    unsafe target.storeBytes(of: UInt8(ascii: isHex ? "[" : "\""), as: UInt8.self)
    let inside = unsafe target + 1
    let count = unsafe isHex ? putHex(text, to: inside) : putPrintable(text, to: inside)
    unsafe inside.storeBytes(of: UInt8(ascii: isHex ? "]" : "\""), toByteOffset: count, as: UInt8.self)
    return count + 2
  }

  private static func putHex(_ text: LogBytes, to target: UnsafeMutableRawPointer) -> Int {
    for index in 0..<text.count {
      let byte = unsafe text.start.load(fromByteOffset: index, as: UInt8.self)
      unsafe putHex(byte, to: target + 2 * index)
    }
    return 2 * text.count
  }

  /// Writes a text with unprintable bytes as `%NN`.
  @inline(__always)
  private static func putPrintable(_ text: LogBytes, to target: UnsafeMutableRawPointer) -> Int {
    var used = unsafe shim_copy_printable(target, text.start, text.count)
    var done = used
    while done < text.count {
      let byte = unsafe text.start.load(fromByteOffset: done, as: UInt8.self)
      unsafe putEscape(byte, to: target + used)
      (done, used) = (done + 1, used + 3)
      let copied = unsafe shim_copy_printable(target + used, text.start + done, text.count - done)
      (done, used) = (done + copied, used + copied)
    }
    return used
  }

  private static func putEscape(_ byte: UInt8, to target: UnsafeMutableRawPointer) {
    unsafe target.storeBytes(of: UInt8(ascii: "%"), as: UInt8.self)
    unsafe putHex(byte, to: target + 1)
  }

  private static func putHex(_ byte: UInt8, to target: UnsafeMutableRawPointer) {
    unsafe target.storeBytes(of: hexDigit(byte >> 4), as: UInt8.self)
    unsafe target.storeBytes(of: hexDigit(byte & 15), toByteOffset: 1, as: UInt8.self)
  }
}
