import VarnishLog

/// Cuts a query into tokens (`query-language.md` 2).
struct QueryLexer {
  private let input: [UInt8]
  private let rules: QueryRules
  private var position = 0
  private var tokens: [QueryToken] = []
  /// Where the last token that isn't a line's end ends.
  private var previousEnd: Int?

  private init(_ input: [UInt8], _ rules: QueryRules) {
    self.input = input
    self.rules = rules
  }

  /// All tokens of the input; the last is its end.
  static func tokens(of input: [UInt8], rules: QueryRules) throws(QueryError) -> [QueryToken] {
    var lexer = QueryLexer(input, rules)
    while let byte = lexer.nextByte() { try lexer.takeToken(byte) }
    lexer.tokens.append(QueryToken(kind: .end, range: input.count..<input.count))
    return lexer.tokens
  }

  /// Skips what separates tokens, and returns the byte that the next token begins with; nil at the end.
  private mutating func nextByte() -> UInt8? {
    while position < input.count {
      let byte = input[position]
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"): position += 1
      case UInt8(ascii: "#") where rules.hasLines:
        while position < input.count, input[position] != UInt8(ascii: "\n") { position += 1 }
      case UInt8(ascii: "\\") where rules.hasLines && self.byte(after: position) == UInt8(ascii: "\n"):
        position += 2
      default:
        guard !rules.hasLines, ASCII.isSpace(byte) else { return byte }
        position += 1
      }
    }
    return nil
  }

  private func byte(after index: Int) -> UInt8? {
    index + 1 < input.count ? input[index + 1] : nil
  }

  private mutating func takeToken(_ byte: UInt8) throws(QueryError) {
    let start = position
    let kind: QueryToken.Kind
    if byte == UInt8(ascii: "\n") {
      position += 1
      tokens.append(QueryToken(kind: .end, range: start..<position))
      return
    } else if let (symbol, length) = symbol(byte) {
      position += length
      kind = symbol
    } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
      kind = .word(try takeQuoted(byte))
    } else if Self.isWordByte(byte) {
      while position < input.count, Self.isWordByte(input[position]) { position += 1 }
      kind = keyword(input[start..<position]) ?? .word(Array(input[start..<position]))
    } else {
      // The reference counts from the token before: a byte right behind it has an offset of 0, any other
      // a negative one, which is not shown.
      throw QueryError(
        .strayByte, in: input, at: start..<start + 1, offset: previousEnd == start ? 0 : nil)
    }
    tokens.append(QueryToken(kind: kind, range: start..<position))
    previousEnd = position
  }

  private func symbol(_ byte: UInt8) -> (QueryToken.Kind, length: Int)? {
    let next = self.byte(after: position)
    let isDoubled = next == UInt8(ascii: "=")
    return switch byte {
    case UInt8(ascii: "=") where isDoubled: (.relation(.equal), 2)
    case UInt8(ascii: "!") where isDoubled: (.relation(.unequal), 2)
    case UInt8(ascii: "!") where next == UInt8(ascii: "~"): (.matchesNot, 2)
    case UInt8(ascii: "<"): isDoubled ? (.relation(.lessOrEqual), 2) : (.relation(.less), 1)
    case UInt8(ascii: ">"): isDoubled ? (.relation(.greaterOrEqual), 2) : (.relation(.greater), 1)
    case UInt8(ascii: "~"): (.matches, 1)
    case UInt8(ascii: "("): (.leftParenthesis, 1)
    case UInt8(ascii: ")"): (.rightParenthesis, 1)
    case UInt8(ascii: "["): (.leftBracket, 1)
    case UInt8(ascii: "]"): (.rightBracket, 1)
    case UInt8(ascii: "{"): (.leftBrace, 1)
    case UInt8(ascii: "}"): (.rightBrace, 1)
    case UInt8(ascii: ":"): (.colon, 1)
    case UInt8(ascii: ","): (.comma, 1)
    default: nil
    }
  }

  /// Takes a quoted string, and returns its bytes; a backslash and the byte behind it stand for that byte.
  private mutating func takeQuoted(_ quote: UInt8) throws(QueryError) -> [UInt8] {
    let start = position
    var bytes: [UInt8] = []
    position += 1
    while position < input.count {
      var byte = input[position]
      if byte == quote {
        position += 1
        return bytes
      }
      if byte == UInt8(ascii: "\\"), let escaped = self.byte(after: position) {
        position += 1
        byte = escaped
      }
      if byte == UInt8(ascii: "\n"), rules.hasLines { break }
      bytes.append(byte)
      position += 1
    }
    let length = position - start
    throw QueryError(
      .unterminatedString, in: input, at: start..<position,
      offset: rules.blamesLastByte ? length - 1 : length)
  }

  private func keyword(_ bytes: ArraySlice<UInt8>) -> QueryToken.Kind? {
    switch String(decoding: bytes, as: UTF8.self) {
    case "and": .and
    case "or": .or
    case "not": .not
    case "eq": .equal
    case "ne": .unequal
    case "vxid" where rules.hasVXID: .vxid
    default: nil
    }
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
      UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "*"):
      true
    default: false
    }
  }
}
