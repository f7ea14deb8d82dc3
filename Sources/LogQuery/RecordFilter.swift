public import VarnishLog

/// Chooses the records of a group that are shown, by their tags and their payloads.
public struct RecordFilter: ~Copyable {
  /// The tags whose records are shown unless an expression says otherwise.
  private let shownTags: TagSet
  private let including: [(tags: TagSet, pattern: Pattern)]
  private let excluding: [(tags: TagSet, pattern: Pattern)]
  /// The tags to whose records an expression is applied.
  private let examinedTags: TagSet
  private let matcher = PatternMatcher()

  /// Whether every record is shown.
  public let showsAll: Bool

  /// Compiles rules for a log.
  ///
  /// - Parameters:
  ///   - rules: in the order of the command line.
  ///   - version: the release whose tags the rules name.
  ///   - isStrict: whether syntax that this release doesn't know is refused.
  ///   - tags: the log's numbering.
  ///   - alwaysShown: tags that only an expression can hide.
  /// - Throws: `RecordRuleError` for the first rule that can't be used.
  public init(
    _ rules: [RecordRule], version: VarnishVersion, isStrict: Bool, tags: TagTable,
    alwaysShown: TagSet = TagSet()
  ) throws(RecordRuleError) {
    let names = TagNames(table: tags, rules: QueryRules(version: version, isStrict: isStrict))
    // If the first rule is `-i` or `-I`, all tags are hidden at first.
    let beginsByIncluding = rules.first.map { $0.kind == .include || $0.kind == .includeMatching }
    var shown = beginsByIncluding ?? false ? TagSet() : TagSet.all
    var including: [(tags: TagSet, pattern: Pattern)] = []
    var excluding: [(tags: TagSet, pattern: Pattern)] = []
    for rule in rules {
      switch rule.kind {
      case .include: shown.formUnion(try Self.tags(rule.text, rule, names))
      case .exclude: shown.subtract(try Self.tags(rule.text, rule, names))
      case .includeMatching: including.append(try Self.pattern(rule, names))
      case .excludeMatching: excluding.append(try Self.pattern(rule, names))
      }
    }
    shown.formUnion(alwaysShown)
    var examined = TagSet()
    for (tags, _) in including + excluding { examined.formUnion(tags) }
    shownTags = shown
    examinedTags = examined
    self.including = including
    self.excluding = excluding
    showsAll = shown == .all && including.isEmpty && excluding.isEmpty
  }

  /// Whether a record is shown.
  public mutating func shows(tag: UInt8, payload: LogBytes) -> Bool {
    guard examinedTags.contains(tag) else { return shownTags.contains(tag) }
    if matches(including, tag, payload) { return true }
    return !matches(excluding, tag, payload) && shownTags.contains(tag)
  }

  /// Expressions see a payload with everything its length covers, final NULs included.
  private mutating func matches(
    _ rules: [(tags: TagSet, pattern: Pattern)], _ tag: UInt8, _ payload: LogBytes
  ) -> Bool {
    for (tags, pattern) in rules where tags.contains(tag) {
      if unsafe matcher.matches(pattern.code, needsCopy: pattern.needsCopy, payload) { return true }
    }
    return false
  }

  // MARK: Reading the rules

  /// The tags of a list of names, beginnings of names and globs with commas in between.
  private static func tags(
    _ list: [UInt8], _ rule: RecordRule, _ names: TagNames
  ) throws(RecordRuleError) -> TagSet {
    let comma = UInt8(ascii: ",")
    var tags = TagSet()
    let parts = list.split(separator: comma, omittingEmptySubsequences: true)
    do throws(TagNames.Fault) {
      // An empty list is refused as an empty name is.
      if parts.isEmpty { _ = try names.numbers(of: []) }
      for part in parts { tags.formUnion(try names.numbers(of: Array(part))) }
    } catch {
      throw RecordRuleError(kind: rule.kind, list: list, reason: reason(error))
    }
    return tags
  }

  private static func reason(_ fault: TagNames.Fault) -> RecordRuleError.Reason {
    switch fault.reason {
    case .ambiguousTag: .ambiguousTag
    case .badGlob: .badGlob
    default: .unknownTag
    }
  }

  private static func pattern(
    _ rule: RecordRule, _ names: TagNames
  ) throws(RecordRuleError) -> (tags: TagSet, pattern: Pattern) {
    var tags = TagSet.all
    var expression = rule.text
    if let colon = rule.text.firstIndex(of: UInt8(ascii: ":")) {
      tags = try self.tags(Array(rule.text[..<colon]), rule, names)
      expression = Array(rule.text[(colon + 1)...])
    }
    do throws(Pattern.Fault) {
      return (tags, try Pattern(expression, caseless: rule.isCaseless))
    } catch {
      throw RecordRuleError(
        kind: rule.kind, list: rule.text,
        reason: .badPattern(offset: error.offset, reason: error.reason))
    }
  }
}
