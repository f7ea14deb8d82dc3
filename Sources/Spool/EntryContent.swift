/// What entries are, and what stands in front of the first of them wherever they go.
public enum EntryContent: Sendable, Equatable {
  /// Lines; in front of them other whole lines, such as the names of the fields.
  case lines(header: [UInt8] = [])
  /// Groups or single ones of a log's records, as they are.
  case records(BinaryContent)

  /// What goes first; nil as long as it isn't known.
  package var header: [UInt8]? {
    switch self {
    case .lines(let header): header
    case .records(let content): content.current.map { content.format.header(of: $0) }
    }
  }

  /// What there is to know of the entries, if they aren't lines.
  public var binary: BinaryContent? {
    if case .records(let content) = self { content } else { nil }
  }

  /// What entries are called.
  package var nouns: (singular: String, plural: String) {
    switch self {
    case .lines: ("line", "lines")
    case .records: ("entry", "entries")
    }
  }

  /// A number of entries and what they are: `1 line`, `2 entries`.
  package func counted(_ count: Int) -> String {
    "\(count) \(count == 1 ? nouns.singular : nouns.plural)"
  }
}
