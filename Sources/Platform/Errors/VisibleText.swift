/// Makes text safe to show on a terminal or in a system's log: names, arguments and other text from outside
/// can neither begin a line nor move the cursor in it.
public enum VisibleText {
  /// The text on one line: invisible characters are written as in `\n`, `\x1b` or `\u{202e}`.
  public static func oneLine(_ text: String) -> String { escaped(text, keeping: []) }

  /// The text with its own newlines and tabs; other invisible characters are written in the same way.
  public static func lines(_ text: String) -> String { escaped(text, keeping: ["\n", "\t"]) }

  private static func escaped(_ text: String, keeping kept: Set<Unicode.Scalar>) -> String {
    guard text.unicodeScalars.contains(where: { isHidden($0) && !kept.contains($0) }) else { return text }
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if isHidden(scalar), !kept.contains(scalar) {
        shown.append(contentsOf: escape(scalar).unicodeScalars)
      } else {
        shown.append(scalar)
      }
    }
    return String(shown)
  }

  /// Whether a terminal does anything else with a character than to show it.
  private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    // Control characters.
    case 0...0x1f, 0x7f...0x9f: true
    // Line and paragraph separators, and characters that change the direction of the following text.
    case 0x2028...0x202e, 0x2066...0x2069, 0x200e, 0x200f, 0x061c: true
    default: false
    }
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    default:
      let digits = String(scalar.value, radix: 16)
      if scalar.value > 0x7f { return "\\u{\(digits)}" }
      return digits.count == 1 ? "\\x0\(digits)" : "\\x\(digits)"
    }
  }
}
