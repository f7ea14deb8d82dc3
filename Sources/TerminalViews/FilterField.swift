/// A text that is typed to filter a list; the filter applies with every letter.
package struct FilterField {
  /// The text typed so far.
  package private(set) var text = ""
  /// Whether keys go to the field.
  package private(set) var isOpen = false

  private static let countMax = 100

  /// An empty field, which everything matches.
  package init() {}

  /// Makes keys go to the field.
  package mutating func open() { isOpen = true }

  /// Empties the field, so that everything matches.
  package mutating func clear() { text = "" }

  /// Takes a key, if the field is open.
  ///
  /// - Returns: whether the field used the key; keys that move in the list aren't used.
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

  /// Whether a text contains the text typed, regardless of case.
  package func isIn(_ text: String) -> Bool {
    self.text.isEmpty || text.lowercased().contains(self.text.lowercased())
  }
}
