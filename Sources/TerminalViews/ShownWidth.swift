/// The number of terminal columns that a text takes.
package enum ShownWidth {
  /// The columns of a text that has only visible characters.
  package static func of(_ text: String) -> Int {
    // Nearly always the case for names of counters and files.
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.reduce(0) { $0 + of($1) }
  }

  /// The beginning of a text that fits into a number of columns.
  package static func prefix(of text: String, _ width: Int) -> String {
    if of(text) <= width { return text }
    var left = width
    let fitting = text.prefix { character in
      left -= of(character)
      return left >= 0
    }
    return String(fitting)
  }

  /// A text in exactly a number of columns: padded with blanks, or cut in its middle, as names differ at
  /// their ends.
  package static func fitted(_ text: String, _ width: Int) -> String {
    let taken = of(text)
    if taken <= width { return text + String(repeating: " ", count: width - taken) }
    guard width >= 12 else { return fitted(prefix(of: text, width), width) }
    let end = width / 3
    let tail = String(prefix(of: String(text.reversed()), end).reversed())
    let head = prefix(of: text, width - 1 - of(tail))
    return fitted(head + "~" + tail, width)
  }

  private static func of(_ character: Character) -> Int {
    character.unicodeScalars.contains { isWide($0.value) } ? 2 : 1
  }

  /// Whether a scalar is of an East Asian script or an emoji, which take two columns.
  private static func isWide(_ value: UInt32) -> Bool {
    switch value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF,
      0x20000...0x3FFFD:
      true
    default: false
    }
  }
}
