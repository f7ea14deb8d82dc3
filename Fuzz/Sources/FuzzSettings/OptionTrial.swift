import FuzzSupport
import Settings

/// Reads the input as the text of an option.
struct OptionTrial {
  private let text: String

  init(_ text: String) { self.text = text }

  func run() {
    let parsed = OutputText.read(text)
    require(OutputText.read(text) == parsed, "another outcome the second time")
    require(
      OutputText.read("\t\n \(text)\r ").mistakes.map(\.found) == parsed.mistakes.map(\.found)
        || parsed.node == nil, "other mistakes between blanks")
    let count = text.unicodeScalars.count
    MistakeCheck.examine(parsed) { place in
      require(
        place.line == 1 && (1...max(1, count)).contains(place.column),
        "a place in column \(place.column) of \(count)")
    }
    guard case .mapping(let mapping)? = parsed.node else {
      require(parsed.node == nil, "something else than a mapping")
      return
    }
    ReaderCheck.examine(parsed)
    require(values(OutputText.read(written(mapping)).node) == values(parsed.node), "another text when quoted")
  }

  /// The settings as a text.
  private func written(_ mapping: SettingsMapping) -> String {
    mapping.entries.map { entry in
      guard case .scalar(let scalar) = entry.value, scalar.hasValue else { return entry.key }
      return entry.key + "=" + OutputText.quoted(scalar.text)
    }.joined(separator: " ")
  }

  /// The contents of the settings, without places.
  private func values(_ node: SettingsNode?) -> [[String?]] {
    guard case .mapping(let mapping)? = node else { return [] }
    return mapping.entries.map { entry in
      guard case .scalar(let scalar) = entry.value else { violated("a value that is no text") }
      return [entry.key, scalar.hasValue ? scalar.text : nil]
    }
  }
}
