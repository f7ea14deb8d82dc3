/// Settings in the text of an option, as in `file=/var/log/access.log query="RespStatus >= 500" gzip keep=30`.
///
/// Blanks separate words. A word is `key=value`, or a key alone, which is a switch. In a value, text between
/// double quotation marks may have blanks in it, and `\"` and `\\` for a quotation mark and a backslash; text
/// between single quotation marks is taken as it is. Quotation marks may begin anywhere in a value. Outside
/// of them, and before any other character, a backslash is a backslash.
public enum OutputText {
  /// Reads a text; the node is a mapping of scalars.
  ///
  /// - Parameter option: the option's name, for messages.
  public static func read(_ text: String, option: String = "--output") -> ParsedSettings {
    var scanner = OutputScanner(text, option: option)
    let node = scanner.scan()
    return ParsedSettings(node: node, mistakes: scanner.mistakes.inOrder())
  }

  /// A value as it is written in such a text, between quotation marks if it needs them.
  public static func quoted(_ value: String) -> String {
    let needsQuotes = value.unicodeScalars.contains { $0.isBlank || $0.isQuotationMark }
    guard value.isEmpty || needsQuotes else { return value }
    var quoted = "\"".unicodeScalars
    for scalar in value.unicodeScalars {
      if scalar == "\"" || scalar == "\\" { quoted.append("\\") }
      quoted.append(scalar)
    }
    return String(quoted) + "\""
  }
}

/// Splits an option's text into its settings.
private struct OutputScanner {
  /// The error for a quotation mark that isn't closed.
  private struct Unclosed: Error {
    let index: Int
  }

  private let scalars: [Unicode.Scalar]
  private let option: String
  private var index = 0
  private(set) var mistakes: [SettingsMistake] = []

  init(_ text: String, option: String) {
    scalars = Array(text.unicodeScalars)
    self.option = option
  }

  /// Reads all words; nil if a quotation mark isn't closed.
  mutating func scan() -> SettingsNode? {
    var mapping = SettingsMapping(at: place(0))
    while true {
      skip(while: \.isBlank)
      guard index < scalars.count else { return .mapping(mapping) }
      let start = index
      skip { !$0.isBlank && $0 != "=" }
      let key = String(String.UnicodeScalarView(scalars[start..<index]))
      do throws(Unclosed) {
        guard !key.unicodeScalars.contains(where: \.isQuotationMark) else {
          try skipStrayQuotes(from: start)
          continue
        }
        let scalar = try value()
        if key.isEmpty {
          note(start, found: "\"=\" without a key", expected: "key=value")
        } else if let mistake = mapping.repeated(key, at: place(start)) {
          mistakes.append(mistake)
        } else {
          mapping.add(SettingsMapping.Entry(key: key, at: place(start), value: .scalar(scalar)))
        }
      } catch {
        note(
          error.index, key: key.isEmpty || error.index < start + key.unicodeScalars.count ? nil : key,
          found: "a quotation mark (\(scalars[error.index])) that is never closed", expected: "another one")
        return nil
      }
    }
  }

  /// The value after a key: a scalar without a value if there is no `=`.
  private mutating func value() throws(Unclosed) -> SettingsScalar {
    guard index < scalars.count, scalars[index] == "=" else {
      return SettingsScalar(nil, at: place(index))
    }
    index += 1
    let start = index
    var value = String.UnicodeScalarView()
    while index < scalars.count, !scalars[index].isBlank {
      if scalars[index].isQuotationMark {
        try appendQuoted(to: &value)
      } else {
        value.append(scalars[index])
        index += 1
      }
    }
    return SettingsScalar(String(value), at: place(start))
  }

  /// Takes the text between two quotation marks, the first of which comes next.
  private mutating func appendQuoted(to value: inout String.UnicodeScalarView) throws(Unclosed) {
    let start = index
    let mark = scalars[start]
    index += 1
    while index < scalars.count {
      var scalar = scalars[index]
      if scalar == mark {
        index += 1
        return
      }
      if mark == "\"", scalar == "\\", index + 1 < scalars.count, ["\"", "\\"].contains(scalars[index + 1]) {
        index += 1
        scalar = scalars[index]
      }
      value.append(scalar)
      index += 1
    }
    throw Unclosed(index: start)
  }

  /// Skips a word whose key has quotation marks in it, up to the next blank outside of quotation marks.
  private mutating func skipStrayQuotes(from start: Int) throws(Unclosed) {
    note(start, found: "a quotation mark in a key", expected: "quotation marks only behind \"=\"")
    index = start
    var skipped = String.UnicodeScalarView()
    while index < scalars.count, !scalars[index].isBlank {
      if scalars[index].isQuotationMark {
        try appendQuoted(to: &skipped)
      } else {
        index += 1
      }
    }
  }

  private mutating func skip(while condition: (Unicode.Scalar) -> Bool) {
    while index < scalars.count, condition(scalars[index]) { index += 1 }
  }

  private func place(_ index: Int) -> SettingsPlace {
    SettingsPlace(source: .option(option), column: index + 1)
  }

  private mutating func note(_ index: Int, key: String? = nil, found: String, expected: String) {
    mistakes.append(SettingsMistake(place: place(index), key: key, found: found, expected: expected))
  }
}

extension Unicode.Scalar {
  /// Whether the scalar separates words; a long text may have several lines.
  fileprivate var isBlank: Bool { self == " " || self == "\t" || self == "\n" || self == "\r" }

  fileprivate var isQuotationMark: Bool { self == "\"" || self == "'" }
}
