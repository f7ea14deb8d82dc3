import Settings

extension SettingsNode {
  /// The whole tree on one line, each node with its place: `2:3 key=4:5 "text"`.
  var outline: String {
    let start = "\(place.line):\(place.column)"
    switch self {
    case .scalar(let scalar): return scalar.hasValue ? "\(start) \"\(scalar.text)\"" : "\(start) nothing"
    case .mapping(let mapping):
      let entries = mapping.entries.map {
        "\($0.place.line):\($0.place.column) \($0.key)=\($0.value.outline)"
      }
      return "\(start) {\(entries.joined(separator: ", "))}"
    case .sequence(let sequence):
      return "\(start) [\(sequence.items.map(\.outline).joined(separator: ", "))]"
    }
  }

  /// The text under a key of a mapping; nil if there is none.
  func text(_ key: String) -> String? {
    guard case .mapping(let mapping) = self, case .scalar(let scalar) = mapping[key]?.value, scalar.hasValue
    else {
      return nil
    }
    return scalar.text
  }
}
