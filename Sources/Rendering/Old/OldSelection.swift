public import LogQuery

/// What the options of 2.0 to 3.0 select of a log's records, by those releases' rules (`grouping.md` 11).
public struct OldSelection: Sendable, Equatable {
  /// `-b` and `-c`; both together select nothing.
  public var backend = false, client = false
  /// `-i`, `-x`, `-I`, `-X`, in their order.
  public var rules: [RecordRule] = []
  /// `-s`: how many records are skipped at first.
  public var skipCount = 0
  /// `-k`: the number of the record that ends the output, without being shown itself.
  public var endNumber: Int?
  /// `-m`, or the tag and expression of `-o`: each must match a record among those shown together.
  public var matches: [OldMatch] = []

  /// Selects everything.
  public init() {}
}

/// A tag and an expression that one of its records must match.
public struct OldMatch: Sendable, Equatable {
  /// The tag's whole name.
  public let tag: [UInt8]
  /// The regular expression.
  public let expression: [UInt8]
  /// Whether letters match in any case.
  public let isCaseless: Bool

  /// A condition for the records of a tag.
  public init(tag: [UInt8], expression: [UInt8], isCaseless: Bool) {
    self.tag = tag
    self.expression = expression
    self.isCaseless = isCaseless
  }
}

/// Why a selection can't be used.
public enum OldSelectionError: Error, Sendable, Equatable, CustomStringConvertible {
  case unknownTag(Character, name: String)
  case givenTwice(Character)
  case badPattern(Character, offset: Int, reason: String)
  case badFormat(FormatError)

  /// The error in one line.
  public var description: String {
    switch self {
    case .unknownTag(let letter, let name): "-\(letter): could not match \"\(name)\" to any tag"
    case .givenTwice(let letter): "-\(letter): can only be given once"
    case .badPattern(let letter, let offset, let reason):
      "-\(letter): regex error at position \(offset) (\(reason))"
    case .badFormat(let error): error.description
    }
  }
}
