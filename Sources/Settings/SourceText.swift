/// The text of a settings file, checked before libyaml parses it.
///
/// The parser has its own notion of where a line ends, and stops at the first invalid byte. Here, places are
/// those that an editor shows, and lines end with LF or CR LF.
struct SourceText {
  /// The text without its byte order mark and with directives turned into comments.
  private(set) var bytes: ArraySlice<UInt8>
  /// The mistakes found so far.
  private(set) var mistakes: [SettingsMistake] = []
  /// Whether the parser can read the text.
  var isReadable: Bool { refusalCount == 0 }

  private let source: SettingsPlace.Source
  /// Where lines begin.
  private var lineStarts: [Int] = []
  private var refusalCount = 0
  /// Where directives begin.
  private var directives: [Int] = []

  /// The largest number of lines with invalid bytes that are reported: a file with more isn't text at all.
  private static let badLineCountMax = 20
  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  init(_ bytes: [UInt8], source: SettingsPlace.Source) {
    self.source = source
    self.bytes = bytes.starts(with: Self.byteOrderMark) ? bytes.dropFirst(3) : bytes[...]
    if bytes.count > YAMLReader.byteCountMax {
      refuse(
        place(line: 0, column: 0), found: "\(bytes.count) bytes",
        expected: "at most \(YAMLReader.byteCountMax)")
    } else if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      refuse(place(line: 0, column: 0), found: "text in UTF-16", expected: "text in UTF-8")
    } else {
      lookThrough()
      for start in directives { self.bytes[start] = UInt8(ascii: "#") }
    }
  }

  /// A place by line and column from 0, as the parser counts them.
  ///
  /// If the last line has no end, the parser reports the end of the text in a line after it, which doesn't
  /// exist.
  func place(line: Int, column: Int) -> SettingsPlace {
    guard line >= lineStarts.count, let start = lineStarts.last else {
      return SettingsPlace(source: source, line: line + 1, column: column + 1)
    }
    let count = String(decoding: bytes[start...], as: UTF8.self).unicodeScalars.count
    return SettingsPlace(source: source, line: lineStarts.count, column: count + 1)
  }

  /// The text from a place to the end of its line; nil at the end of the text.
  func rest(line: Int, column: Int) -> String? {
    guard lineStarts.indices.contains(line) else { return nil }
    let end = lineStarts.indices.contains(line + 1) ? lineStarts[line + 1] - 1 : bytes.endIndex
    let text = String(decoding: bytes[lineStarts[line]..<max(lineStarts[line], end)], as: UTF8.self)
    let rest = String(text.unicodeScalars.dropFirst(column).prefix { $0 != "\r" })
    return rest.isEmpty && end == bytes.endIndex ? nil : rest
  }

  // MARK: Looking through

  private mutating func refuse(_ place: SettingsPlace, found: String, expected: String) {
    mistakes.append(SettingsMistake(place: place, found: found, expected: expected))
    refusalCount += 1
  }

  private mutating func lookThrough() {
    var start = bytes.startIndex
    while true {
      let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.endIndex
      let line = lineStarts.count
      lineStarts.append(start)
      examine(start..<end, line: line, isLast: end == bytes.endIndex)
      guard end < bytes.endIndex, refusalCount < Self.badLineCountMax else { return }
      start = end + 1
    }
  }

  private mutating func examine(_ range: Range<Int>, line: Int, isLast: Bool) {
    var content = bytes[range]
    if !isLast, content.last == 0x0D { content.removeLast() }
    if content.first == UInt8(ascii: "%") {
      let text = String(decoding: content, as: UTF8.self)
      mistakes.append(
        SettingsMistake(
          place: place(line: line, column: 0), found: "the directive \(Excerpt.quoted(text))",
          expected: "settings alone"))
      directives.append(range.lowerBound)
    }
    // The usual case: a line of printable ASCII characters and tabs.
    if content.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 }) { return }
    var decoder = UTF8()
    var iterator = content.makeIterator()
    var column = 0
    var offset = content.startIndex
    while true {
      switch decoder.decode(&iterator) {
      case .emptyInput: return
      case .error:
        let byte = String(bytes[offset], radix: 16, uppercase: true)
        refuse(
          place(line: line, column: column), found: "the byte 0x\(byte), which is no UTF-8",
          expected: "text in UTF-8")
        return
      case .scalarValue(let scalar):
        if let name = Self.nameOfUnfit(scalar) {
          refuse(
            place(line: line, column: column), found: name,
            expected: #"text; between double quotation marks, there is "\u0085" for U+0085"#)
          return
        }
        offset += UTF8.width(scalar)
        column += 1
      }
    }
  }

  /// The name of a character that isn't allowed in a text, or that the parser, unlike editors, takes for the
  /// end of a line; nil for all others.
  private static func nameOfUnfit(_ scalar: Unicode.Scalar) -> String? {
    switch scalar.value {
    case 0: "a NUL byte"
    case 0x09: nil
    case 0x0D: "a carriage return within a line"
    case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF:
      "the character U+" + String(0x10000 + scalar.value, radix: 16, uppercase: true).dropFirst()
    default: nil
    }
  }
}
