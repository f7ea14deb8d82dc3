import TerminalViews

extension FilterField {
  /// Whether a name is one of those that are looked for: one that has the text in it, however that is capitalised, or,
  /// if the text is a pattern, is matched by it.
  func takes(_ name: String) -> Bool {
    if text.isEmpty { return true }
    if text.contains(where: { "*?[".contains($0) }) { return Glob(Array(text.utf8)).matches(name) }
    return isIn(name)
  }
}
