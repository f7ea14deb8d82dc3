/// The texts of a log, from which tests make up options and queries that fit it.
public struct LogWords: Sendable {
  /// A record that is text.
  public struct Sample: Sendable {
    /// The tag's name.
    public let tag: String
    /// The payload.
    public let text: String

    /// The part in front of the first colon, if there is one.
    public var prefix: Substring? { text.firstIndex(of: ":").map { text[..<$0] } }

    /// The part behind the first colon, or the whole text if there is none.
    public var value: Substring {
      text.firstIndex(of: ":").map { text[text.index(after: $0)...].drop { $0 == " " } } ?? text[...]
    }
  }

  /// The records that are printable text.
  public let samples: [Sample]
  /// The number of each record's transaction.
  public let vxids: [UInt64]

  /// Takes the words from the records of a 7.1 log.
  public init(_ records: [SampleRecord]) {
    samples = records.compactMap { record in
      guard let tag = SampleTags.v7.name(of: record.tag),
        record.payload.dropLast().allSatisfy({ (0x20..<0x7F).contains($0) })
      else { return nil }
      return Sample(tag: tag, text: String(decoding: record.payload.dropLast(), as: UTF8.self))
    }
    vxids = records.map(\.vxid)
  }

  /// A regular expression made of a piece of a text, with some of its characters replaced by expressions that
  /// may match them.
  public func pattern(in text: Substring, _ random: inout SeededGenerator) -> String {
    let from = Int.random(in: 0...text.count, using: &random)
    let piece = text.dropFirst(from).prefix(Int.random(in: 0...8, using: &random))
    var pattern = from == 0 ? "^" : ""
    for character in piece {
      switch Int.random(in: 0..<6, using: &random) {
      case 0: pattern += "."
      case 1: pattern += "[^\(character == "a" ? "b" : "a")]?"
      default:
        pattern += character.isLetter || character.isNumber ? "\(character)" : "\\\(character)"
      }
    }
    return pattern + (["", "", "$", "+", ".*"].randomElement(using: &random) ?? "")
  }

  /// The name of a tag, or an abbreviation or a pattern that may mean several tags or none.
  public func tag(_ name: String, _ random: inout SeededGenerator) -> String {
    switch Int.random(in: 0..<10, using: &random) {
    case 0: name.lowercased()
    case 1: "\(name.prefix(Int.random(in: 1...name.count, using: &random)))*"
    case 2: "*\(name.suffix(Int.random(in: 1...name.count, using: &random)))"
    case 3: "\(name.prefix(2))*\(name.suffix(2))"
    case 4: String(name.prefix(Int.random(in: 3...max(3, name.count), using: &random)))
    default: name
    }
  }
}
