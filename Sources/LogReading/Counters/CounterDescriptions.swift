/// The counters of a kind of section, in the order in which they are described; shared by the sections of the kind.
public final class CounterDescriptions: Sendable {
  /// The kind's name; empty if nothing is known of the kind.
  public let name: String
  /// The counters of such a section.
  public let counters: [Counter]
  /// Whether the counters have no description: the list then has the words of the section, by their offsets.
  public let isRaw: Bool

  /// The most counters that are read: more than any server has.
  static let countMax = 10_000
  /// The longest description that is read, in bytes.
  static let byteCountMax = 4 << 20

  /// Lists the words of a section without a description, whose meaning only the release that wrote them
  /// knows.
  init(words offsets: StrideTo<Int>) {
    name = ""
    isRaw = true
    counters = offsets.prefix(Self.countMax).map { offset in
      Counter(
        name: String(offset), summary: "Word at byte \(offset), which its log doesn't describe",
        kind: .unknown,
        format: .unknown, offset: offset)
    }
  }

  /// Reads the description that stands in a log (`shm-layout.md` 8.1).
  ///
  /// - Throws: `JSONReader.Mistake` if it is none.
  init(json bytes: [UInt8]) throws(JSONReader.Mistake) {
    var reader = JSONReader(bytes)
    var name = ""
    var counters: [Counter] = []
    try reader.readObject { (key, reader) throws(JSONReader.Mistake) in
      switch key {
      case "name": name = try reader.readText()
      case "elem":
        try reader.readObject { (key, reader) throws(JSONReader.Mistake) in
          let counter = try Self.counter(key, &reader)
          if let counter, counters.count < Self.countMax { counters.append(counter) }
        }
      default: try reader.skipValue()
      }
    }
    self.name = name
    self.counters = counters
    isRaw = false
  }

  /// Reads the description of one counter; nil if it doesn't give the counter's offset.
  private static func counter(
    _ key: String, _ reader: inout JSONReader
  ) throws(JSONReader.Mistake) -> Counter? {
    var (name, summary, details) = (key, "", "")
    var (kind, format, level) = (Counter.Kind.unknown, Counter.Format.unknown, Counter.Level.info)
    var offset: Int?
    try reader.readObject { (key, reader) throws(JSONReader.Mistake) in
      switch key {
      case "name": name = try reader.readText()
      case "oneliner": summary = try reader.readText()
      case "docs": details = try reader.readText()
      case "type": kind = Counter.Kind(rawValue: try reader.readText()) ?? .unknown
      case "format": format = Counter.Format(rawValue: try reader.readText()) ?? .unknown
      case "level": level = Counter.Level(word: try reader.readText())
      case "index": offset = try reader.readWhole()
      default: try reader.skipValue()
      }
    }
    guard let offset, offset >= 0 else { return nil }
    return Counter(
      name: name, summary: summary, details: details, kind: kind, format: format, level: level, offset: offset
    )
  }
}

extension Counter.Level {
  /// The level that a description names; `info` if the name is unknown.
  fileprivate init(word: String) {
    switch word {
    case "debug": self = .debug
    case "diag": self = .diag
    default: self = .info
    }
  }
}
