import FuzzSupport
import Glibc
import Rendering
import Transactions
import VarnishLog

/// Renders and parses a text at different places in memory.
///
/// A letter chooses the settings; then comes the text:
///
/// ```
/// byte 0   JSON, old rules (1 bit each)
///      1   text
/// ```
struct TextTrial {
  private let isJSON: Bool
  private let rules: NCSARules
  private let text: [UInt8]

  /// Parses an input; nil if there are too few bytes.
  init?(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return nil }
    isJSON = first & 1 != 0
    rules = NCSARules(first & 2 == 0 ? VarnishVersion(8, 0) : VarnishVersion(4, 1), isStrict: true)
    text = Array(bytes.dropFirst())
  }

  func run() {
    let memory = FencedMemory.shared
    let tags = TagTable(.v73)
    guard let number = tags.number(of: .vclLog),
      let format = try? LineFormat(
        Array("%{VSL:VCL_Log}x".utf8), rules: rules, isJSON: isJSON)
    else { violated("a format that is refused") }
    var renderer = LineRenderer(format, tags: tags)
    // At the end of the readable memory, up to some words in front of it, and far away from it.
    for distance in [0, 4, 8, 12, 16, 20, 2048] {
      let line = memory.withRecord(tag: number, text, distance: distance) { transaction in
        LineRoom.line(of: transaction, &renderer, again: true)
      }
      require(line == expectedLine, "another line at \(distance)")
      memory.withBytes(text, distance: distance) { bytes in
        for field in 0...fields.count + 1 {
          let found = bytes.field(field).map { Array($0.buffer) }
          let expected = field > 0 && field <= fields.count ? fields[field - 1] : nil
          require(found == expected, "another field \(field) at \(distance)")
        }
        guard let number = bytes.plainDecimal else { return }
        require(
          text.allSatisfy { ASCII.isDigit($0) || $0 == UInt8(ascii: ".") }
            && number == strtod(String(decoding: text, as: UTF8.self), nil), "another number at \(distance)")
      }
    }
  }

  private var fields: [[UInt8]] { text.split(whereSeparator: ASCII.isSpace).map(Array.init) }

  /// The expected output for the text, made byte by byte.
  private var expectedLine: [UInt8] {
    var value = text[...]
    while value.last == 0 { value.removeLast() }
    while let last = value.last, ASCII.isSpace(last) { value.removeLast() }
    while let first = value.first, ASCII.isSpace(first) { value.removeFirst() }
    return value.flatMap(escaped) + [0x0A]
  }

  private func escaped(_ byte: UInt8) -> [UInt8] {
    let letters: [UInt8: Character] = [0x22: "\"", 0x5C: "\\", 0x0A: "n", 0x0D: "r", 0x09: "t"]
    var letter = letters[byte]
    // Up to 6.1 there are two more, of which JSON had one.
    if rules.version < VarnishVersion(6, 2) {
      if byte == 0x0B { letter = "v" }
      if byte == 0x0C, !isJSON { letter = "f" }
    }
    if let letter { return Array("\\\(letter)".utf8) }
    let isSpecial = byte < 0x20 || !isJSON && byte >= 0x7F
    guard isSpecial else { return [byte] }
    let digits = String(byte, radix: 16)
    return Array("\(isJSON ? "\\u00" : "\\x")\(digits.count == 1 ? "0" : "")\(digits)".utf8)
  }
}
