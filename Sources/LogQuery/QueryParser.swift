import VarnishLog

/// Reads the tokens of a query (`query-language.md` 3).
///
/// The expression comes out in postfix order. Operators wait on a stack of their own instead of the call
/// stack, so that parentheses can be nested to any depth.
struct QueryParser {
  private enum Waiting {
    case not, and, or, parenthesis
  }

  private let input: [UInt8]
  private let rules: QueryRules
  private let isCaseless: Bool
  private let tagNames: TagNames
  private let tokens: [QueryToken]
  private var index = 0
  private var waiting: [Waiting] = []
  private var result = ParsedQuery()

  /// Reads all queries of the input, as alternatives.
  static func parse(
    _ input: [UInt8], rules: QueryRules, isCaseless: Bool, tags: TagTable
  ) throws(QueryError) -> ParsedQuery {
    var parser = QueryParser(
      input: input, rules: rules, isCaseless: isCaseless,
      tagNames: TagNames(table: tags, rules: rules),
      tokens: try QueryLexer.tokens(of: input, rules: rules))
    try parser.parseLines()
    return parser.result
  }

  private init(
    input: [UInt8], rules: QueryRules, isCaseless: Bool, tagNames: TagNames, tokens: [QueryToken]
  ) {
    self.input = input
    self.rules = rules
    self.isCaseless = isCaseless
    self.tagNames = tagNames
    self.tokens = tokens
  }

  // MARK: Tokens

  private var token: QueryToken { tokens[index] }

  /// Moves on to the next token, but not beyond the end of the input.
  private mutating func advance() { index = min(index + 1, tokens.count - 1) }

  private mutating func take(_ kind: QueryToken.Kind) -> Bool {
    guard token.kind == kind else { return false }
    advance()
    return true
  }

  private func fault(
    _ reason: QueryError.Reason, at token: QueryToken, offset: Int? = nil
  ) -> QueryError {
    QueryError(reason, in: input, at: token.range, offset: offset)
  }

  private mutating func expect(
    _ kind: QueryToken.Kind, _ expectation: QueryError.Expectation
  ) throws(QueryError) {
    guard take(kind) else { throw fault(.expected(expectation), at: token) }
  }

  /// Takes a word, and returns its token and its bytes.
  private mutating func takeWord(
    _ expectation: QueryError.Expectation
  ) throws(QueryError) -> (token: QueryToken, bytes: [UInt8]) {
    let token = token
    guard let bytes = token.word else { throw fault(.expected(expectation), at: token) }
    advance()
    return (token, bytes)
  }

  // MARK: Expressions

  private mutating func parseLines() throws(QueryError) {
    var hasExpression = false
    while true {
      let isLast = index == tokens.count - 1
      if token.kind != .end || (isLast && !hasExpression && !rules.hasLines) {
        try parseLine()
        if hasExpression { result.steps.append(.or) }
        hasExpression = true
      }
      if index == tokens.count - 1 { break }
      advance()
    }
    guard hasExpression else {
      throw QueryError(.noExpression, in: input, at: input.count..<input.count)
    }
  }

  private mutating func parseLine() throws(QueryError) {
    while true {
      try parseOperand()
      while waiting.contains(.parenthesis), take(.rightParenthesis) { closeParenthesis() }
      if take(.and) {
        settle { $0 == .and }
        waiting.append(.and)
      } else if take(.or) {
        settle { $0 != .parenthesis }
        waiting.append(.or)
      } else {
        break
      }
    }
    guard !waiting.contains(.parenthesis) else { throw fault(.expected(.groupEnd), at: token) }
    guard token.kind == .end else { throw fault(.expected(.queryEnd), at: token) }
    settle { _ in true }
  }

  /// Reads a comparison, with each `not` and opening parenthesis before it.
  private mutating func parseOperand() throws(QueryError) {
    while true {
      if take(.not) { waiting.append(.not) }
      guard take(.leftParenthesis) else { break }
      waiting.append(.parenthesis)
    }
    result.comparisons.append(try parseComparison())
    result.steps.append(.comparison)
    settle { $0 == .not }
  }

  private mutating func closeParenthesis() {
    settle { $0 != .parenthesis }
    waiting.removeLast()
    settle { $0 == .not }
  }

  /// Moves the operators that have all their operands from the stack to the result.
  private mutating func settle(while isBound: (Waiting) -> Bool) {
    while let last = waiting.last, isBound(last) {
      waiting.removeLast()
      switch last {
      case .not: result.steps.append(.not)
      case .and: result.steps.append(.and)
      case .or: result.steps.append(.or)
      case .parenthesis: break
      }
    }
  }

  // MARK: Comparisons

  private mutating func parseComparison() throws(QueryError) -> Comparison {
    var comparison = Comparison()
    var isSelective = false
    if take(.leftBrace) {
      isSelective = true
      comparison.levels = try parseLevels()
      try expect(.rightBrace, .levelEnd)
    }
    var namesVXID = try parseTag(&comparison)
    while take(.comma) {
      isSelective = true
      if try parseTag(&comparison) { namesVXID = true }
    }
    if take(.colon) {
      isSelective = true
      comparison.prefix = try takeWord(.string).bytes.map(ASCII.lowercased)
    }
    if take(.leftBracket) {
      isSelective = true
      let (token, bytes) = try takeWord(.integer)
      guard let field = OperandReader.field(bytes) else { throw fault(.notPositive, at: token) }
      comparison.field = field
      try expect(.rightBracket, .fieldEnd)
    }
    guard namesVXID else {
      comparison.criterion = try parseCriterion()
      return comparison
    }
    if isSelective { throw fault(.selectiveVXID, at: token) }
    guard case .relation(let relation) = token.kind else {
      throw fault(.expected(.vxidComparison), at: token)
    }
    advance()
    comparison.criterion = try parseVXID(relation)
    return comparison
  }

  private mutating func parseLevels() throws(QueryError) -> ClosedRange<Int> {
    let (token, bytes) = try takeWord(.integer)
    do {
      return try OperandReader.levels(bytes)
    } catch {
      throw fault(error.reason, at: token)
    }
  }

  /// Reads one name of a list, and returns whether it is `vxid`.
  private mutating func parseTag(_ comparison: inout Comparison) throws(QueryError) -> Bool {
    if take(.vxid) { return true }
    let (token, name) = try takeWord(.tag)
    do {
      comparison.tags.formUnion(try tagNames.numbers(of: name))
    } catch {
      throw fault(error.reason, at: token)
    }
    return false
  }

  private mutating func parseCriterion() throws(QueryError) -> Comparison.Criterion {
    let sign = token
    switch sign.kind {
    case .end, .and, .or, .rightParenthesis: return .exists
    case .relation(let relation):
      advance()
      return try parseNumber(relation)
    case .equal, .unequal:
      advance()
      return .text(try takeWord(.string).bytes, isEqual: sign.kind == .equal)
    case .matches, .matchesNot:
      advance()
      let (token, expression) = try takeWord(.pattern)
      do {
        let pattern = try Pattern(expression, caseless: isCaseless)
        return .pattern(pattern, isMatch: sign.kind == .matches)
      } catch {
        throw fault(.badPattern(error.reason), at: token, offset: error.offset)
      }
    default: throw fault(.expected(.comparison), at: sign)
    }
  }

  private mutating func parseNumber(_ relation: Relation) throws(QueryError) -> Comparison.Criterion {
    let (token, bytes) = try takeWord(.number)
    if bytes.contains(UInt8(ascii: ".")) {
      guard let number = OperandReader.decimal(bytes, rules.numbers) else {
        throw fault(.badDecimal, at: token)
      }
      return .decimal(relation, number)
    }
    guard let number = OperandReader.integer(bytes) else { throw fault(.badInteger, at: token) }
    return .integer(relation, number)
  }

  private mutating func parseVXID(_ relation: Relation) throws(QueryError) -> Comparison.Criterion {
    let place = token
    switch try parseNumber(relation) {
    case .integer(let relation, let number): return .vxid(relation, number)
    default: throw fault(.expected(.integer), at: place, offset: 0)
    }
  }
}
