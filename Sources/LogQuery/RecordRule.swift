/// One of the options that choose single records: `-i`, `-x`, `-I`, `-X` (`grouping.md` 8).
///
/// The order in which they were given counts.
public struct RecordRule: Sendable, Equatable {
  /// What a rule does with the records that it selects.
  public enum Kind: Character, Sendable {
    /// Shows the records of these tags.
    case include = "i"
    /// Hides the records of these tags.
    case exclude = "x"
    /// Shows the records that match, even if another rule hides them.
    case includeMatching = "I"
    /// Hides the records that match, unless an `includeMatching` rule shows them.
    case excludeMatching = "X"
  }

  /// What the rule does.
  public let kind: Kind
  /// A list of tags; for the kinds that match, a regular expression with or without such a list in front.
  public let text: [UInt8]
  /// Whether the case of letters makes no difference to the expression.
  public let isCaseless: Bool

  /// A rule as it was given.
  public init(_ kind: Kind, _ text: [UInt8], isCaseless: Bool = false) {
    self.kind = kind
    self.text = text
    self.isCaseless = isCaseless
  }
}

/// Why a rule can't be used; the texts are those of the reference tools.
public struct RecordRuleError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public enum Reason: Equatable, Sendable {
    case unknownTag
    case ambiguousTag
    case badGlob
    /// Where in the expression, and what the engine says.
    case badPattern(offset: Int, reason: String)
  }

  /// The option.
  public let kind: RecordRule.Kind
  /// The list that was given.
  public let list: [UInt8]
  /// What is wrong.
  public let reason: Reason

  /// One line.
  public var description: String { "-\(kind.rawValue): \(summary)" }

  /// The description without the option.
  public var summary: String {
    let list = String(decoding: list, as: UTF8.self)
    return switch reason {
    case .unknownTag: "\"\(list)\" matches zero tags"
    case .ambiguousTag: "\"\(list)\" is ambiguous"
    case .badGlob: "Syntax error in \"\(list)\""
    case .badPattern(let offset, let reason): "Regex error at position \(offset) (\(reason))"
    }
  }
}
