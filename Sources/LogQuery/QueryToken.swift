/// A token of a query, and where it stands.
struct QueryToken: Equatable, Sendable {
  enum Kind: Equatable, Sendable {
    /// A bare or quoted word; its bytes, without quotation marks and backslashes.
    case word([UInt8])
    case and, or, not
    case vxid
    case relation(Relation)
    case equal, unequal
    case matches, matchesNot
    case leftParenthesis, rightParenthesis
    case leftBracket, rightBracket
    case leftBrace, rightBrace
    case colon, comma
    /// A newline between queries, or the end of the input.
    case end
  }

  let kind: Kind
  /// The token's bytes in the input, with quotation marks; empty at the end of the input.
  let range: Range<Int>

  var word: [UInt8]? {
    if case .word(let bytes) = kind { bytes } else { nil }
  }
}

/// A comparison of numbers.
enum Relation: Sendable {
  case equal, unequal, less, lessOrEqual, greater, greaterOrEqual

  @inline(__always)
  func holds<Number: Comparable>(_ a: Number, _ b: Number) -> Bool {
    switch self {
    case .equal: a == b
    case .unequal: a != b
    case .less: a < b
    case .lessOrEqual: a <= b
    case .greater: a > b
    case .greaterOrEqual: a >= b
    }
  }
}
