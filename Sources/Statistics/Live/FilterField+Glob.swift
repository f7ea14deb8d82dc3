import TerminalViews

extension FilterField {
  /// Whether the filter takes a name: one that contains the text in any case of letters or, if the text is a
  /// pattern, one that the pattern matches.
  func takes(_ name: String) -> Bool {
    if text.isEmpty { return true }
    if text.contains(where: { "*?[".contains($0) }) { return Glob(Array(text.utf8)).matches(name) }
    return isIn(name)
  }
}
