import TerminalViews

/// What is typed to find counters by their names: it counts with every letter.
struct FilterField {
  /// What was typed.
  private(set) var text = ""
  /// Whether keys go there.
  private(set) var isOpen = false

  private static let countMax = 100

  /// Has keys go there.
  mutating func open() { isOpen = true }

  /// Has everything match.
  mutating func clear() { text = "" }

  /// Takes a key, if it goes there.
  ///
  /// - Returns: whether that was so; those that move in the list still do.
  mutating func take(_ key: Key) -> Bool {
    guard isOpen else { return false }
    switch key {
    case .enter: isOpen = false
    case .escape:
      text = ""
      isOpen = false
    case .backspace:
      if text.isEmpty { isOpen = false } else { text.removeLast() }
    case .control("u"): text = ""
    case .character(let scalar):
      if text.unicodeScalars.count < Self.countMax { text.unicodeScalars.append(scalar) }
    default: return false
    }
    return true
  }

  /// Whether a name is one of those that are looked for: one that has the text in it, however that is capitalised, or,
  /// if the text is a pattern, is matched by it.
  func takes(_ name: String) -> Bool {
    if text.isEmpty { return true }
    if text.contains(where: { "*?[".contains($0) }) { return Glob(Array(text.utf8)).matches(name) }
    return name.lowercased().contains(text.lowercased())
  }
}
