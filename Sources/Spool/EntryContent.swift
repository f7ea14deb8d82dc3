/// What entries are, and the header in front of the first of them.
public enum EntryContent: Sendable, Equatable {
  /// Lines, and the header: other whole lines, such as one with the names of the fields.
  case lines(header: [UInt8] = [])
  /// Groups or single records of a log, as they are in the log.
  case records(BinaryContent)

  /// The header; nil as long as it isn't known.
  package var header: [UInt8]? {
    switch self {
    case .lines(let header): header
    case .records(let content): content.current.map { content.format.header(of: $0) }
    }
  }

  /// The format and kind of the records; nil for lines.
  public var binary: BinaryContent? {
    if case .records(let content) = self { content } else { nil }
  }

  /// The words for entries in messages.
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
