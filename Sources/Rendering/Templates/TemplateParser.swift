import VarnishLog

/// Reads template files.
///
/// ```
/// # A comment; so is every line that begins with "#".
/// summary: What it is good for, in one line.
/// side: client
/// escape: json
/// missing: null
/// missing-number: null
/// header: #Fields: a line that every output file begins with
/// join: none
/// format:
///   {"client":"%h",
///   "status":%s}
///
/// example: what this one shows
///   c Begin       req 1 rxreq
///   c ReqStart    192.0.2.7 51234 a0
///   c RespStatus  200
/// expect:
///   {"client":"192.0.2.7","status":200}
/// ```
///
/// A line is blank, a comment, `key: value`, or indented and thereby part of the block that the last
/// `format:`, `example:` or `expect:` has opened. The keys:
///
/// | key | value | if it isn't there |
/// | --- | --- | --- |
/// | `summary` | text | nothing |
/// | `side` | `client`, `backend`, `both` | `client` |
/// | `escape` | one of `Escaping.names` | `ncsa` |
/// | `missing` | what stands for missing text | `-`; in JSON `null` |
/// | `missing-number` | what stands for missing numbers | as `missing`; in JSON `null` |
/// | `header` | one line, may be repeated; `\t` is a TAB, `\\` a backslash | no header |
/// | `join` | `none`, `space`, `tab`: what stands between the lines of the format | `none` |
/// | `format` | the format; blanks at both ends of its lines don't count | an error |
/// | `example` | what it shows; then records, see `TemplateExample` | no examples |
/// | `expect` | the output, indented like its first line; nothing for no line | an error |
///
/// The text is UTF-8 with LF or CR LF, at most `Template.byteCountMax` bytes, without any control
/// character but TAB.
struct TemplateParser {
  private var content = TemplateContent()
  private var seen: Set<TemplateKey> = []
  private var block: TemplateKey?
  private var joint: [UInt8] = []
  private var formatLines: [ArraySlice<UInt8>] = []
  private var missingText: (TemplateLine, [UInt8])?
  private var missingNumber: (TemplateLine, [UInt8])?
  /// The indentation of the first expected line.
  private var indentation: Int?

  /// Reads a file's bytes.
  static func parse(_ source: [UInt8]) throws(TemplateFault) -> TemplateContent {
    guard source.count <= Template.byteCountMax else {
      throw TemplateFault(line: nil, reason: .tooLong)
    }
    var parser = TemplateParser()
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let text = source.starts(with: mark) ? source.dropFirst(mark.count) : source[...]
    var number = 0
    for var bytes in text.split(separator: 0x0A, omittingEmptySubsequences: false) {
      number += 1
      if bytes.last == 0x0D { bytes.removeLast() }
      try parser.take(TemplateLine(number: number, bytes: bytes))
    }
    return try parser.finish()
  }

  private mutating func take(_ line: TemplateLine) throws(TemplateFault) {
    if let control = line.bytes.first(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F }) {
      throw TemplateFault(line: line.number, reason: .controlCharacter(control))
    }
    guard String(validating: line.bytes, as: UTF8.self) != nil else {
      throw TemplateFault(line: line.number, reason: .notUTF8)
    }
    guard let first = line.bytes.first, first != UInt8(ascii: "#"),
      !line.bytes.trimmingBlanks.isEmpty
    else { return }
    if first == 0x20 || first == 0x09 {
      try takeIndented(line)
    } else {
      try takeKey(line)
    }
  }

  // MARK: Keys

  private mutating func takeKey(_ line: TemplateLine) throws(TemplateFault) {
    func fault(_ reason: TemplateError.Reason) -> TemplateFault {
      TemplateFault(line: line.number, reason: reason)
    }
    guard let colon = line.bytes.firstIndex(of: UInt8(ascii: ":")),
      line.bytes[..<colon].allSatisfy({ ASCII.lowercased($0) &- 0x61 < 26 || $0 == 0x2D })
    else { throw fault(.strayLine(line.text)) }
    let word = String(decoding: line.bytes[..<colon], as: UTF8.self)
    guard let key = TemplateKey(rawValue: word) else { throw fault(.unknownKey(word)) }
    guard seen.insert(key).inserted || key.repeats else { throw fault(.repeatedKey(word)) }
    block = key.opensBlock ? key : nil
    let value = line.bytes[(colon + 1)...].trimmingBlanks
    switch key {
    case .summary: content.summary = String(decoding: value, as: UTF8.self)
    case .side: content.side = try choose(line, key, value, among: Self.sides)
    case .escape: content.escaping = try choose(line, key, value, among: Escaping.names)
    case .join: joint = try choose(line, key, value, among: Self.joints)
    case .missing: missingText = (line, Array(value))
    case .missingNumber: missingNumber = (line, Array(value))
    case .header: content.headerLines.append(try headerLine(line, value))
    case .format:
      content.formatLine = line.number
      if !value.isEmpty { formatLines.append(value) }
    case .example:
      try checkPaired()
      let title = String(decoding: value, as: UTF8.self)
      content.examples.append(TemplateExample(title: title, line: line.number))
    case .expect:
      guard let last = content.examples.indices.last, content.examples[last].expected == nil else {
        throw fault(.unpairedExample(missing: TemplateKey.example.rawValue))
      }
      content.examples[last].expectLine = line.number
      content.examples[last].expected = value.isEmpty ? [] : [Array(value)]
      indentation = nil
    }
  }

  private static let sides = Template.Side.allCases.map { ($0.rawValue, $0) }
  private static let joints: [(String, [UInt8])] = [
    ("none", []), ("space", [0x20]), ("tab", [0x09]),
  ]

  private func choose<Value>(
    _ line: TemplateLine, _ key: TemplateKey, _ value: ArraySlice<UInt8>,
    among choices: [(String, Value)]
  ) throws(TemplateFault) -> Value {
    let word = String(decoding: value, as: UTF8.self)
    guard let choice = choices.first(where: { $0.0 == word }) else {
      let words = choices.map(\.0).joined(separator: ", ")
      throw TemplateFault(
        line: line.number,
        reason: .badValue(key: key.rawValue, found: word, expected: "one of \(words)"))
    }
    return choice.1
  }

  private func headerLine(
    _ line: TemplateLine, _ value: ArraySlice<UInt8>
  ) throws(TemplateFault) -> [UInt8] {
    guard let text = EscapedText.decode(value, escapes: ["t": 0x09, "\\": 0x5C]) else {
      throw TemplateFault(
        line: line.number,
        reason: .badValue(
          key: TemplateKey.header.rawValue, found: String(decoding: value, as: UTF8.self),
          expected: "no backslash but in \\t and \\\\"))
    }
    return text
  }

  // MARK: Blocks

  private mutating func takeIndented(_ line: TemplateLine) throws(TemplateFault) {
    switch block {
    case .format: formatLines.append(line.bytes.trimmingBlanks)
    case .example: content.examples[content.examples.count - 1].records.append(try record(line))
    case .expect:
      let blanks = line.bytes.prefix { $0 == 0x20 || $0 == 0x09 }.count
      let skipped = min(blanks, indentation ?? blanks)
      indentation = skipped
      content.examples[content.examples.count - 1].expected?.append(
        Array(line.bytes.dropFirst(skipped)))
    default: throw TemplateFault(line: line.number, reason: .strayIndent(line.text))
    }
  }

  private func record(_ line: TemplateLine) throws(TemplateFault) -> TemplateExample.Record {
    let example = content.examples[content.examples.count - 1]
    do {
      return try TemplateExample.Record(line.bytes.trimmingBlanks, isFirst: example.records.isEmpty)
    } catch {
      throw TemplateFault(
        line: line.number, reason: .badRecord(found: line.text, expected: error.expected))
    }
  }

  private func checkPaired() throws(TemplateFault) {
    guard let last = content.examples.last, last.expected == nil else { return }
    throw TemplateFault(
      line: last.line, reason: .unpairedExample(missing: TemplateKey.expect.rawValue))
  }

  // MARK: The end

  private mutating func finish() throws(TemplateFault) -> TemplateContent {
    try checkPaired()
    guard !formatLines.isEmpty else { throw TemplateFault(line: nil, reason: .noFormat) }
    content.format = Array(formatLines.joined(separator: joint))
    let isJSON = content.escaping == .json
    let usual = Array((isJSON ? "null" : "-").utf8)
    content.missingText = missingText?.1 ?? usual
    content.missingNumber = missingNumber?.1 ?? (isJSON ? usual : content.missingText)
    try checkMissing()
    return content
  }

  /// The replacements for missing values are subject to the same rules as the values.
  private func checkMissing() throws(TemplateFault) {
    let escaping = content.escaping
    if let (line, value) = missingText, !escaping.isHarmless(value) {
      throw harmful(.missing, line, value, expected: "text that needs no escaping")
    }
    guard let (line, value) = missingNumber ?? missingText else { return }
    if escaping == .json, missingNumber != nil {
      let isNumber = unsafe value.withUnsafeBytes { bytes in
        unsafe bytes.baseAddress.map { unsafe LogNumber.isJSON(LogBytes(start: $0, count: bytes.count)) }
          ?? false
      }
      guard isNumber || value == Array("null".utf8) else {
        throw harmful(.missingNumber, line, value, expected: "a number or null")
      }
    } else if !escaping.isHarmless(value) {
      throw harmful(.missingNumber, line, value, expected: "text that needs no escaping")
    }
  }

  private func harmful(
    _ key: TemplateKey, _ line: TemplateLine, _ value: [UInt8], expected: String
  ) -> TemplateFault {
    let found = String(decoding: value, as: UTF8.self)
    return TemplateFault(
      line: line.number,
      reason: .badValue(key: key.rawValue, found: found, expected: expected))
  }
}

extension Escaping {
  /// Whether a text may replace a value as it is.
  fileprivate func isHarmless(_ text: [UInt8]) -> Bool {
    if text.isEmpty { return !needsSomething }
    let special = specialBytes
    let separators: [UInt8] =
      switch self {
      case .columns: Array(" []#".utf8)
      case .csv: Array(",".utf8)
      case .logfmt: Array(" =".utf8)
      case .tsv: [0x09]
      default: []
      }
    return text.allSatisfy { !special[Int($0)] && !separators.contains($0) }
  }
}
