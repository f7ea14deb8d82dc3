import LogQuery
import Settings

/// Reads rules for records from settings.
extension RecordRule {
  private static let names: [(name: String, kind: Kind)] = [
    ("show", .include), ("hide", .exclude), ("show-matching", .includeMatching),
    ("hide-matching", .excludeMatching),
  ]

  /// Takes a list of rules in their order: a list of mappings with one key each, or, in an option's text,
  /// which has no lists, a text such as `show=Req* hide=ReqHeader`.
  static func take(_ key: String, _ reader: inout SettingsReader, isCaseless: Bool) -> [RecordRule]? {
    if case .option = reader.place(of: key)?.source {
      return reader.take(key, expecting: "rules, as in 'show=Req* hide=ReqHeader'") { (text) throws in
        try rules(in: text, isCaseless: isCaseless)
      }
    }
    return reader.takeMappings(key) { rule in self.rules(&rule, isCaseless: isCaseless) }?.flatMap { $0 }
  }

  /// The rules in one mapping, which should have exactly one.
  private static func rules(_ reader: inout SettingsReader, isCaseless: Bool) -> [RecordRule] {
    var rules: [RecordRule] = []
    var count = 0
    for (name, kind) in names {
      if reader.place(of: name) != nil {
        count += 1
        if count == 2 {
          reader.report(
            name, found: "a second rule in one item", expected: "an item for each, as in \"- show: Req*\"")
        }
      }
      guard let text = reader.take(name, expecting: "a text") else { continue }
      rules.append(RecordRule(kind, text.argumentBytes, isCaseless: isCaseless))
    }
    if count == 0, !reader.hasMistakes {
      reader.report("tags", found: "no rule", expected: "one of \(names.map(\.name).joined(separator: ", "))")
    }
    return rules
  }

  private static func rules(in text: String, isCaseless: Bool) throws -> [RecordRule] {
    let parsed = OutputText.read(text)
    guard case .mapping(let mapping)? = parsed.node, parsed.mistakes.isEmpty else {
      throw Expectation("rules, as in 'show=Req* hide=ReqHeader', each once")
    }
    return try mapping.entries.map { entry in
      guard let kind = names.first(where: { $0.name == entry.key })?.kind,
        case .scalar(let scalar) = entry.value,
        scalar.hasValue
      else { throw Expectation("each to be one of \(names.map(\.name).joined(separator: ", "))") }
      return RecordRule(kind, scalar.text.argumentBytes, isCaseless: isCaseless)
    }
  }
}
