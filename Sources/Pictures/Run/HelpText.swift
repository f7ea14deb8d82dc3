import TerminalViews

/// The help of a view: a text that can be scrolled, as terminals may be smaller than the text.
enum HelpText {
  /// The lines from a first one on, which is moved so that the text fills the rows.
  static func lines(_ text: String, from first: inout Int?, rows: Int) -> [StyledLine] {
    let text = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let start = min(first ?? 0, max(0, text.count - rows))
    first = start
    return text.dropFirst(start).prefix(rows).enumerated().map { row, line in
      StyledLine(line, start + row == 0 ? .strong : .plain)
    }
  }

  /// Takes a key, which scrolls the text or closes it.
  static func take(_ key: Key, _ first: inout Int?) {
    switch key {
    case .character("q"), .character("h"), .character("?"), .escape: first = nil
    case .down, .character("j"), .pageDown, .character(" "): first = (first ?? 0) + 1
    case .up, .character("k"), .pageUp: first = max(0, (first ?? 0) - 1)
    default: break
    }
  }
}
