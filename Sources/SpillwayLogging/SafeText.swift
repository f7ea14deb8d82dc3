import LogWriting
import VarnishLog

/// Makes untrusted text safe for a record.
///
/// Readers show most records as they are: a control character would reach a terminal, a newline would look
/// like the next record, a NUL would hide what follows. Tabs are left alone.
enum SafeText {
  static func isSafe(_ text: String) -> Bool { text.utf8.allSatisfy(isSafe) }

  /// The text with unsafe characters replaced by escapes.
  static func escaped(_ text: String) -> String {
    if isSafe(text) { return text }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count + 16)
    for byte in text.utf8 { append(byte, to: &bytes) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A header whose value may have any bytes.
  static func header(_ name: String, _ value: RawSpan) -> [UInt8] {
    var bytes = Array(escaped(name).utf8)
    bytes.reserveCapacity(bytes.count + 2 + value.byteCount)
    bytes += [0x3A, 0x20]
    unsafe value.withUnsafeBytes { for index in $0.indices { unsafe append($0[index], to: &bytes) } }
    return bytes
  }

  /// A text as one field of a record, whose fields are separated by blanks.
  static func field(_ text: String) -> String {
    if text.isEmpty { return "-" }
    if text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) { return text }
    let bytes = text.utf8.map { $0 > 0x20 && $0 != 0x7F ? $0 : UInt8(ascii: "_") }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isSafe(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F || byte == 0x09 }

  private static func append(_ byte: UInt8, to bytes: inout [UInt8]) {
    switch byte {
    case _ where isSafe(byte): bytes.append(byte)
    case 0x0A: bytes += [0x5C, UInt8(ascii: "n")]
    case 0x0D: bytes += [0x5C, UInt8(ascii: "r")]
    default:
      let digits: StaticString = "0123456789abcdef"
      unsafe bytes += [
        0x5C, UInt8(ascii: "x"), digits.utf8Start[Int(byte >> 4)], digits.utf8Start[Int(byte & 15)],
      ]
    }
  }
}

extension LogTransaction {
  /// Adds a record with untrusted text.
  mutating func add(_ tag: Tag, safe text: String) { add(tag, SafeText.escaped(text)) }

  /// Adds a header, or another value with a name, of untrusted text.
  mutating func add(_ tag: Tag, name: String, safe value: String) {
    add(tag, header: SafeText.escaped(name), SafeText.escaped(value))
  }
}
