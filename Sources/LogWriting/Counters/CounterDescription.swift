/// What a counter counts, as varnishstat shows it.
public struct CounterDescription: Sendable, Equatable {
  /// How its value behaves.
  public enum Kind: String, Sendable {
    /// It only grows.
    case counter
    /// It goes up and down.
    case gauge
    /// Each bit stands for itself.
    case bitmap
  }

  /// The unit of a counter's value.
  public enum Format: String, Sendable {
    /// A plain number of things.
    case integer
    /// Bytes.
    case bytes
    /// Bits, shown as hexadecimal digits.
    case bitmap
    /// Seconds.
    case duration
  }

  /// The purpose for which a counter is of interest.
  public enum Level: String, Sendable {
    /// General interest.
    case info
    /// Diagnosis.
    case diag
    /// Diagnosis of faults in the server itself.
    case debug
  }

  /// The counter's name, which follows the set's.
  public var name: String
  /// One line of explanation.
  public var summary: String
  /// How its value behaves.
  public var kind: Kind
  /// The unit of its value.
  public var format: Format
  /// The purpose for which it is of interest.
  public var level: Level
  /// The full explanation.
  public var details: String

  /// Describes a counter.
  public init(
    _ name: String, _ summary: String, kind: Kind = .counter, format: Format = .integer,
    level: Level = .info, details: String = ""
  ) {
    self.name = name
    self.summary = summary
    self.kind = kind
    self.format = format
    self.level = level
    self.details = details
  }
}

/// The description of a kind of counter set, as it stands in the log for readers (`shm-layout.md` 8.1).
struct CounterDocument {
  /// The document's number, by which sets refer to it.
  let number: UInt64
  /// The text, with a NUL behind it.
  let bytes: [UInt8]

  /// The size in bytes of the head in front of counters, and of the text.
  static let headByteCount = 24
  static let bodyOffset = 8
  static let numberOffset = 16
  /// The head's first word once everything behind it is there.
  static let ready: UInt32 = 1
  /// The head's first word once counters or text have been taken away from readers.
  static let hidden: UInt32 = 2

  /// Describes counters.
  ///
  /// - Parameter places: each counter's place among a section's words, if they aren't in their order; nil for
  ///   a counter that the section doesn't have.
  init(
    name: String, summary: String, order: Int, counters: [CounterDescription], places: [Int?]? = nil
  ) {
    let placed = zip(counters, places ?? counters.indices.map { $0 }).compactMap { counter, place in
      place.map { (counter, $0) }
    }
    var text = "{\"version\":\"1\",\"name\":\(Self.quoted(name)),\"oneliner\":\(Self.quoted(summary)),"
    text += "\"order\":\(order),\"docs\":\"\",\"elements\":\(placed.count),\"elem\":{"
    for (index, (counter, place)) in placed.enumerated() {
      if index > 0 { text += "," }
      let name = Self.quoted(counter.name)
      text += "\(name):{\"type\":\"\(counter.kind.rawValue)\",\"ctype\":\"uint64_t\","
      text += "\"level\":\"\(counter.level.rawValue)\",\"oneliner\":\(Self.quoted(counter.summary)),"
      text += "\"format\":\"\(counter.format.rawValue)\",\"index\":\(place * 8),\"name\":\(name),"
      text += "\"docs\":\(Self.quoted(counter.details))}"
    }
    text += "}}"
    bytes = Array(text.utf8) + [0]
    // FNV-1a: the same text has the same number.
    number = bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  /// The number in the form in which sections bear it as their name.
  var name: String { String(number, radix: 16) }

  /// Writes what stands in front of counters or text; readers may not use them before `ready` is stored.
  func writeHead(to memory: UnsafeMutableRawPointer) {
    unsafe memory.storeBytes(of: UInt64(Self.headByteCount), toByteOffset: Self.bodyOffset, as: UInt64.self)
    unsafe memory.storeBytes(of: number, toByteOffset: Self.numberOffset, as: UInt64.self)
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\u{0}"..<"\u{20}": result += " "
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
