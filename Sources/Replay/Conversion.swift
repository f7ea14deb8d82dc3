import LogReading
import VarnishLog

/// How the tags' numbers are converted from one log's numbering to another's.
struct Conversion {
  /// The live log's numbering.
  let target: TagNumbering
  /// The largest number that a transaction of the live log can have.
  let largestVXID: UInt64
  /// Whether a number of a transaction may be too large for the live log.
  let narrows: Bool
  /// The tag's number in the live log, for each number in the captured one.
  let numbers: [UInt8]

  /// The number for a tag that the live log doesn't have: the writer skips such records, and counts them.
  private static let none: UInt8 = 254

  /// Prepares the conversion of records with a numbering.
  init(from source: TagNumbering, to target: TagNumbering) {
    self.target = target
    let isNarrow = Self.layout(of: target) == .narrow
    largestVXID = isNarrow ? 0x3FFF_FFFF : 1 << 51 - 1
    narrows = isNarrow && Self.layout(of: source) == .wide
    guard source != target else {
      // Nothing is converted, so that tags that the numbering doesn't have are kept as well.
      numbers = RecordHeader.tagNumbers
      return
    }
    let (from, to) = (TagTable(source), TagTable(target))
    numbers = RecordHeader.tagNumbers.map { number in
      from.tag(number).flatMap(to.number) ?? Self.none
    }
  }

  /// For each tag number of a log of 2.0 to 3.0, the number in the live log if such records belong to no
  /// connection.
  static func unconnected(from source: TagNumbering, to target: TagNumbering) -> [UInt8?] {
    let (from, to) = (TagTable(source), TagTable(target))
    return RecordHeader.tagNumbers.map { number in
      from.tag(number).flatMap { Tag.unconnected.contains($0) ? to.number(of: $0) ?? Self.none : nil }
    }
  }

  /// The numbering that the live log gets.
  ///
  /// - Throws: `ReplayError.conversion` if the options contradict each other, or ask for a log that no
  ///   version has.
  static func numbering(
    for source: TagNumbering, _ options: ReplayOptions
  ) throws(ReplayError) -> TagNumbering {
    guard let numbering = options.numbering else {
      // A live log of 4.0 had another container; 4.1 has the same tags and more under other numbers.
      switch options.layout {
      case nil: return source == .v40 ? .v41 : source
      case .narrow: return .v41
      case .wide: return layout(of: source) == .wide ? source : .v73
      }
    }
    guard numbering != .v40 else {
      throw .conversion("no live log is written with 4.0's tags; choose a version from 4.1 to 9.0")
    }
    if let layout = options.layout, layout != Self.layout(of: numbering) {
      let (bits, other) = layout == .narrow ? (32, "7.3 and newer have 64") : (64, "4.1 to 7.2 have 32")
      throw .conversion("that version's logs don't have \(bits)-bit numbers: \(other)")
    }
    return numbering
  }

  private static func layout(of numbering: TagNumbering) -> LogLayout {
    switch numbering {
    case .v40, .v41: .narrow
    // Records that are converted from these old logs get the layout of current versions.
    case .v73, .v90, .v20, .v21, .v30: .wide
    }
  }
}
