/// The counters of a kind of section, in the order in which they are described; shared by the sections of the kind.
public final class CounterDescriptions: Sendable {
  /// What the kind is called; empty where nothing is known of it.
  public let name: String
  /// What there is in such a section.
  public let counters: [Counter]
  /// Whether nothing describes them: what is listed are the words of the section, by their places.
  public let isRaw: Bool

  /// More than any server has.
  static let countMax = 10_000
  /// The longest description that is read, in bytes.
  static let byteCountMax = 4 << 20

  /// Words of which only the release that wrote them knew what they mean.
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

  /// Reads what is said of one counter; nil if its place isn't.
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
  /// The level that a description names; an unknown one is for everybody.
  fileprivate init(word: String) {
    switch word {
    case "debug": self = .debug
    case "diag": self = .diag
    default: self = .info
    }
  }
}
