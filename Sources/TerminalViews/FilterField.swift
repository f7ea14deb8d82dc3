/// What is typed to find lines of a list: it counts with every letter.
package struct FilterField {
  /// What was typed.
  package private(set) var text = ""
  /// Whether keys go there.
  package private(set) var isOpen = false

  private static let countMax = 100

  /// Everything matches.
  package init() {}

  /// Has keys go there.
  package mutating func open() { isOpen = true }

  /// Has everything match.
  package mutating func clear() { text = "" }

  /// Takes a key, if it goes there.
  ///
  /// - Returns: whether that was so; those that move in the list still do.
  package mutating func take(_ key: Key) -> Bool {
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

  /// Whether a text has in it what was typed, however that is capitalised.
  package func isIn(_ text: String) -> Bool {
    self.text.isEmpty || text.lowercased().contains(self.text.lowercased())
  }
}
