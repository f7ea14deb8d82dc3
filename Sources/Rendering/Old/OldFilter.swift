import LogQuery
import VarnishLog

/// Selects records of an old log, with the checks in the order of that log's own tools.
struct OldFilter: ~Copyable {
  enum Verdict {
    case passes
    case isHidden
    /// The record ends the output.
    case ends
  }

  private let client: Bool, backend: Bool
  private var skipsLeft: Int
  private var recordsLeft: Int?
  private var hidden = TagSet()
  /// Tags that pass whatever the side and the rules are.
  private let alwaysTags: TagSet
  private var including: Int?, excluding: Int?
  private var matches: [(tag: UInt8, pattern: Int)] = []
  private var patterns = PatternSet()

  /// Compiles a selection for a log.
  init(
    _ selection: OldSelection, tags: TagTable, always: TagSet = TagSet()
  ) throws(OldSelectionError) {
    (client, backend) = (selection.client, selection.backend)
    skipsLeft = selection.skipCount
    recordsLeft = selection.endNumber
    alwaysTags = always
    // If the first of `-i` and `-x` is `-i`, all tags are hidden at first.
    if selection.rules.first(where: { $0.kind == .include || $0.kind == .exclude })?.kind == .include {
      hidden = .all
    }
    for rule in selection.rules { try add(rule, tags) }
    for match in selection.matches {
      let number = try Self.number(match.tag, "m", tags)
      matches.append((number, try compile(match.expression, "m", caseless: match.isCaseless)))
    }
  }

  private mutating func add(_ rule: RecordRule, _ tags: TagTable) throws(OldSelectionError) {
    let letter = rule.kind.rawValue
    switch rule.kind {
    case .include, .exclude:
      for name in Self.names(rule.text) {
        var set = TagSet()
        set.insert(try Self.number(name, letter, tags))
        if rule.kind == .include { hidden.subtract(set) } else { hidden.formUnion(set) }
      }
    case .includeMatching:
      guard including == nil else { throw .givenTwice(letter) }
      including = try compile(rule.text, letter, caseless: rule.isCaseless)
    case .excludeMatching:
      guard excluding == nil else { throw .givenTwice(letter) }
      excluding = try compile(rule.text, letter, caseless: rule.isCaseless)
    }
  }

  private mutating func compile(
    _ expression: [UInt8], _ letter: Character, caseless: Bool
  ) throws(OldSelectionError) -> Int {
    do throws(PatternSet.Fault) {
      return try patterns.add(expression, caseless: caseless)
    } catch {
      throw .badPattern(letter, offset: error.offset, reason: error.reason)
    }
  }

  /// The names of a list with commas or blanks in between.
  private static func names(_ list: [UInt8]) -> [[UInt8]] {
    let names = list.split { $0 == UInt8(ascii: ",") || ASCII.isSpace($0) }
    return names.isEmpty ? [[]] : names.map(Array.init)
  }

  /// A tag's number by its whole name, in any case of letters.
  private static func number(
    _ name: [UInt8], _ letter: Character, _ tags: TagTable
  ) throws(OldSelectionError) -> UInt8 {
    let wanted = name.map(ASCII.lowercased)
    for number in RecordHeader.tagNumbers {
      guard let tag = tags.tag(number) else { continue }
      if tag.name.utf8.map(ASCII.lowercased) == wanted { return number }
    }
    throw .unknownTag(letter, name: String(decoding: name, as: UTF8.self))
  }

  /// Decides about the next record.
  @inline(__always)
  mutating func verdict(tag: UInt8, side: Side, payload: LogBytes) -> Verdict {
    if skipsLeft > 0 {
      skipsLeft -= 1
      return .isHidden
    }
    if let left = recordsLeft {
      recordsLeft = left - 1
      if left <= 1 {
        recordsLeft = nil
        return .ends
      }
    }
    if alwaysTags.contains(tag) { return .passes }
    if hidden.contains(tag) || (backend && side != .backend) || (client && side != .client) {
      return .isHidden
    }
    if let including, !patterns.matches(including, payload) { return .isHidden }
    if let excluding, patterns.matches(excluding, payload) { return .isHidden }
    return .passes
  }

  /// Whether there are any conditions that records must match.
  var hasMatches: Bool { !matches.isEmpty }

  /// The bits of all conditions.
  var allMatches: UInt64 { matches.count >= 64 ? .max : 1 << UInt64(matches.count) - 1 }

  /// The conditions that a record matches, a bit for each; beyond 63 they share the last bit.
  func matches(tag: UInt8, payload: LogBytes) -> UInt64 {
    var bits: UInt64 = 0
    for (index, match) in matches.enumerated() where match.tag == tag {
      if patterns.matches(match.pattern, payload) { bits |= 1 << UInt64(min(index, 63)) }
    }
    return bits
  }
}
