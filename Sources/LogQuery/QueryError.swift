import VarnishLog

/// Why a query can't be understood: what is wrong, and where in the query.
public struct QueryError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What can be wrong.
  public enum Reason: Equatable, Sendable {
    /// The token isn't what was expected at its place.
    case expected(Expectation)
    /// A level below 0, or a field that isn't an integer above 0.
    case notPositive
    /// A level that isn't `N`, `N-` or `N+`.
    case badLevel
    /// A name or a glob that matches no tag.
    case unknownTag
    /// A beginning of several tags' names.
    case ambiguousTag
    /// A glob that isn't allowed.
    case badGlob
    /// An operand that isn't an integer.
    case badInteger
    /// An operand with a point that isn't a number.
    case badDecimal
    /// A regular expression that doesn't compile; the engine's reason.
    case badPattern(String)
    /// `vxid` together with other tags, a level, a prefix or a field.
    case selectiveVXID
    /// A string that isn't closed.
    case unterminatedString
    /// A byte that no token begins with.
    case strayByte
    /// There is no expression at all.
    case noExpression
  }

  /// What was expected in place of a token.
  public enum Expectation: String, Sendable {
    case integer
    case tag = "VSL tag name"
    case string
    case number
    case pattern = "regular expression"
    case comparison = "operator"
    case vxidComparison = "vxid operator"
    case levelEnd = "'}'"
    case fieldEnd = "']'"
    case groupEnd = "')'"
    case queryEnd = "EOI"
  }

  /// What is wrong.
  public let reason: Reason
  /// The whole query, all parts joined.
  public let query: [UInt8]
  /// The bytes of the query that are to blame; empty at its end.
  public let range: Range<Int>
  /// Where in the range the fault was found, if that is known.
  public let offset: Int?

  init(_ reason: Reason, in query: [UInt8], at range: Range<Int>, offset: Int? = nil) {
    self.reason = reason
    self.query = query
    self.range = range
    self.offset = offset
  }

  /// What the reference tools print behind `Query expression error:` and a newline, byte by byte.
  ///
  /// The tools print another newline after this text.
  public var text: [UInt8] { text(found: \.self) }

  private func text(found clean: ([UInt8]) -> [UInt8]) -> [UInt8] {
    if reason == .noExpression { return [] }
    var text = Array(message.utf8)
    if case .expected(let expectation) = reason { text += clean(found(insteadOf: expectation)) }
    text += Array(" (Pos \(range.lowerBound + 1 + (offset ?? 0)))\n".utf8)
    text += query.map { ASCII.isSpace($0) ? UInt8(ascii: " ") : $0 }
    text.append(UInt8(ascii: "\n"))
    text += query.indices.map(mark)
    text += Array("\n\n".utf8)
    return text
  }

  /// The same as `text`, with bytes replaced that are not UTF-8, and with blanks for the white space within the
  /// token that was found, as a newline would begin a line of its own.
  public var description: String {
    let text = text { found in
      let isNewline = found.count == 3
      return found.map { !isNewline && ASCII.isSpace($0) ? UInt8(ascii: " ") : $0 }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// What is wrong and where, in one line, without the query.
  public var summary: String {
    if reason == .noExpression { return "no expression" }
    return String(description.prefix { $0 != "\n" })
  }

  private var message: String {
    switch reason {
    case .expected(let expectation): "Expected \(expectation.rawValue) got "
    case .notPositive: "Expected positive integer"
    case .badLevel: "Syntax error in level limit"
    case .unknownTag: "Tag name matches zero tags"
    case .ambiguousTag: "Tag name is ambiguous"
    case .badGlob: "Syntax error in tag name"
    case .badInteger: "Integer parse error"
    case .badDecimal: "Floating point parse error"
    case .badPattern(let reason): "Regular expression error: \(reason)"
    case .selectiveVXID: "Unexpected taglist selection for vxid"
    case .unterminatedString: "Unterminated string"
    case .strayByte: "Syntax error"
    case .noExpression: ""
    }
  }

  private func found(insteadOf expectation: Expectation) -> [UInt8] {
    let token = Array(query[range])
    switch expectation {
    case .levelEnd, .fieldEnd, .groupEnd:
      if token.isEmpty || token == [UInt8(ascii: "\n")] { return Array("end of input".utf8) }
    default: break
    }
    return [UInt8(ascii: "'")] + token + [UInt8(ascii: "'")]
  }

  private func mark(_ index: Int) -> UInt8 {
    guard range.contains(index) else { return UInt8(ascii: "-") }
    return index - range.lowerBound == offset ? UInt8(ascii: "^") : UInt8(ascii: "#")
  }
}
