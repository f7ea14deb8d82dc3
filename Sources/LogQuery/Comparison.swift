import VarnishLog

/// One comparison of a query: which records it looks at, and what it asks of them.
struct Comparison {
  /// The levels of transactions that are looked at.
  var levels: ClosedRange<Int> = 0...Int.max
  /// The tags' numbers.
  var tags = TagSet()
  /// The text that a record must begin with, followed by a colon; in lower case.
  var prefix: [UInt8]?
  /// Which field is compared, from 1; 0 for all of the text.
  var field = 0
  var criterion = Criterion.exists

  enum Criterion {
    case exists
    case integer(Relation, Int64)
    case decimal(Relation, Double)
    case text([UInt8], isEqual: Bool)
    case pattern(Pattern, isMatch: Bool)
    /// Compares the transaction's number instead of its records.
    case vxid(Relation, Int64)
  }
}

/// A query as it was read.
struct ParsedQuery {
  /// A step of the expression, in postfix order.
  enum Step {
    /// The next comparison.
    case comparison
    case not
    case and
    case or
  }

  var comparisons: [Comparison] = []
  var steps: [Step] = []
}
