import FuzzSupport

/// The common properties of all lines of a template, for any log.
struct LineShape {
  private let escaping: String
  private let format: [UInt8]
  private let text: FormatText

  init(_ sketch: TemplateSketch) {
    escaping = sketch.escaping
    format = sketch.format
    text = FormatText(sketch.format)
  }

  /// Ends the process if lines differ in these properties; the first is one in which nothing is missing.
  func examine(_ lines: [[UInt8]?]) {
    let lines = lines.compactMap { $0?.dropLast() }.map(Array.init)
    guard let first = lines.first, !text.makesControls, escaping != "none" else { return }
    let separators = separators(first)
    let isJSON = escaping == "json" && text.keepsJSONValuesApart && Self.isJSON(first)
    for line in lines {
      require(!line.contains(0x0A), "two lines in one: \(show(line))")
      switch escaping {
      case "json": require(!isJSON || Self.isJSON(line), "no JSON any more: \(show(line))")
      case "ncsa", "w3c", "url":
        require(
          !text.isPrintable || line.allSatisfy { (0x20...0x7E).contains($0) },
          "a byte that isn't escaped: \(show(line))")
      default: break
      }
      if escaping == "json" || escaping == "logfmt" {
        require(String(validating: line, as: UTF8.self) != nil, "no UTF-8: \(show(line))")
        require(!line.contains { $0 < 0x20 }, "a control character: \(show(line))")
      }
      require(self.separators(line) == separators, "another number of fields: \(show(line))")
    }
  }

  private static func isJSON(_ line: [UInt8]) -> Bool { line.withUnsafeBytes { JSONSyntax.isValue($0) } }

  /// The number of separators in a line, for escapings that keep separators out of values.
  private func separators(_ line: [UInt8]) -> Int {
    switch escaping {
    case "tsv": return line.count { $0 == 0x09 }
    case "w3c", "url": return line.count { $0 == 0x20 }
    case "csv" where !format.contains(UInt8(ascii: "\"")):
      var isQuoted = false
      return line.count { byte in
        if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
        return byte == UInt8(ascii: ",") && !isQuoted
      }
    default: return 0
    }
  }

  private func show(_ line: [UInt8]) -> String { String(decoding: line, as: UTF8.self).debugDescription }
}
