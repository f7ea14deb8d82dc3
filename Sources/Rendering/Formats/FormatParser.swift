import VarnishLog

/// Reads a format string (`ncsa-format.md` 2).
struct FormatParser {
  private let rules: NCSARules
  private let isJSON: Bool
  /// Whether the format is a template's: template files support more than command lines.
  private let isTemplate: Bool
  private var rest: ArraySlice<UInt8>
  private var items: [FormatItem] = []

  /// The format that is used when none is given.
  static let defaultFormat = Array(#"%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-agent}i""#.utf8)
  private static let commonTime = Array("[%d/%b/%Y:%T %z]".utf8)

  private init(_ format: [UInt8], rules: NCSARules, isJSON: Bool, isTemplate: Bool) {
    rest = format[...]
    self.rules = rules
    self.isJSON = isJSON
    self.isTemplate = isTemplate
  }

  /// Splits a format into its pieces.
  static func parse(
    _ format: [UInt8], rules: NCSARules, isJSON: Bool, isTemplate: Bool = false
  ) throws(FormatError) -> [FormatItem] {
    var parser = FormatParser(format, rules: rules, isJSON: isJSON, isTemplate: isTemplate)
    while let byte = parser.rest.first {
      switch byte {
      case UInt8(ascii: "\\"): parser.takeEscape()
      case UInt8(ascii: "%"): try parser.takeSpecifier()
      default:
        parser.rest.removeFirst()
        parser.add(literal: byte)
      }
    }
    return parser.items
  }

  private mutating func add(literal byte: UInt8) {
    if case .literal(var bytes) = items.last {
      // Removed first, so that appending copies nothing.
      items.removeLast()
      bytes.append(byte)
      items.append(.literal(bytes))
    } else {
      items.append(.literal([byte]))
    }
  }

  private mutating func takeEscape() {
    rest.removeFirst()
    guard let byte = rest.popFirst() else {
      if rules.keepsFinalBackslash { add(literal: UInt8(ascii: "\\")) }
      return
    }
    switch byte {
    case UInt8(ascii: "t"): add(literal: 0x09)
    case UInt8(ascii: "n"): add(literal: 0x0A)
    default: if rules.keepsEscapedByte { add(literal: byte) }
    }
  }

  private mutating func takeSpecifier() throws(FormatError) {
    let from = rest
    func unknown() -> FormatError {
      let text = String(decoding: from, as: UTF8.self)
      return rules.since(4, 0) ? .unknownSpecifier(text) : .unknownSpecifierInOldTool(text)
    }
    rest.removeFirst()
    guard let letter = rest.popFirst() else { throw unknown() }
    switch letter {
    case UInt8(ascii: "b"): items.append(.field(.bodyBytesSent))
    case UInt8(ascii: "D"): items.append(.duration(.microseconds))
    case UInt8(ascii: "h"): items.append(.field(.remoteAddress))
    case UInt8(ascii: "H"): items.append(.field(.httpProtocol))
    case UInt8(ascii: "I") where rules.has(since: 4, 0): items.append(.field(.bytesReceived))
    case UInt8(ascii: "l"): add(literal: UInt8(ascii: "-"))
    case UInt8(ascii: "m"): items.append(.field(.method))
    case UInt8(ascii: "O") where rules.has(since: 4, 0): items.append(.field(.bytesSent))
    case UInt8(ascii: "q"): items.append(.field(.queryString))
    case UInt8(ascii: "r"): items.append(.requestLine)
    case UInt8(ascii: "s"): items.append(.field(.status))
    case UInt8(ascii: "t"): items.append(.time(format: Self.commonTime, isUTC: false))
    case UInt8(ascii: "T"): items.append(.duration(.seconds))
    case UInt8(ascii: "u"): items.append(.user)
    case UInt8(ascii: "U"): items.append(.field(.url))
    case UInt8(ascii: "%") where isTemplate: add(literal: letter)
    case UInt8(ascii: "{"):
      guard let argument = takeArgument() else {
        throw .unmatchedBracket(String(decoding: from, as: UTF8.self))
      }
      guard let kind = rest.popFirst(), try takeBraced(argument, kind: kind) else { throw unknown() }
    default: throw unknown()
    }
  }

  /// The text up to the closing brace, after the opening one was read; nil if there is no closing brace.
  private mutating func takeArgument() -> [UInt8]? {
    var depth = 1
    for (index, byte) in zip(rest.indices, rest) {
      switch byte {
      case UInt8(ascii: "{") where rules.bracesNest: depth += 1
      case UInt8(ascii: "}"):
        depth -= 1
        guard depth == 0 else { continue }
        let argument = Array(rest[..<index])
        rest = rest[(index + 1)...]
        return argument
      default: continue
      }
    }
    return nil
  }

  /// Takes `%{argument}kind`; false if there is no such kind.
  private mutating func takeBraced(_ argument: [UInt8], kind: UInt8) throws(FormatError) -> Bool {
    switch kind {
    case UInt8(ascii: "i"):
      let (name, rule) = try splitHeader(argument)
      items.append(.requestHeader(name: name, rule: rule))
    case UInt8(ascii: "o"):
      let (name, rule) = try splitHeader(argument)
      items.append(.responseHeader(name: name, rule: rule))
    case UInt8(ascii: "t"): items.append(try timeItem(argument))
    case UInt8(ascii: "T") where rules.hasDurationUnits:
      switch String(decoding: argument, as: UTF8.self) {
      case "s": items.append(.duration(.seconds))
      case "ms": items.append(.duration(.milliseconds))
      case "us": items.append(.duration(.microseconds))
      case let unit: throw .unknownDurationUnit(unit)
      }
    case UInt8(ascii: "x"): return try takeExtension(argument)
    default: return false
    }
    return true
  }

  private func splitHeader(
    _ argument: [UInt8]
  ) throws(FormatError) -> (name: [UInt8], rule: FormatItem.MatchRule?) {
    guard rules.hasMatchRules, let colon = argument.firstIndex(of: UInt8(ascii: ":")) else {
      return (argument, nil)
    }
    let rule = argument[(colon + 1)...]
    if rule.starts(with: "first".utf8) { return (Array(argument[..<colon]), .first) }
    if rule.starts(with: "last".utf8) { return (Array(argument[..<colon]), .last) }
    throw .unknownMatchRule(String(decoding: argument[colon...], as: UTF8.self))
  }

  private func timeItem(_ argument: [UInt8]) throws(FormatError) -> FormatItem {
    if rules.hasTimeUnits {
      switch String(decoding: argument, as: UTF8.self) {
      case "sec": return .timeNumber(.seconds)
      case "msec": return .timeNumber(.milliseconds)
      case "usec": return .timeNumber(.microseconds)
      case "msec_frac": return .timeNumber(.millisecondsFraction)
      case "usec_frac": return .timeNumber(.microsecondsFraction)
      default: break
      }
    }
    return try strftimeItem(argument, isUTC: false)
  }

  private func strftimeItem(_ format: [UInt8], isUTC: Bool) throws(FormatError) -> FormatItem {
    guard ClockText.hasRoom(for: format) else { throw .timeTooLong(byteCountMax: ClockText.byteCountMax) }
    return .time(format: format, isUTC: isUTC)
  }

  // MARK: Extensions

  /// Takes `%{argument}x`; false if the release would report an unknown specifier.
  private mutating func takeExtension(_ argument: [UInt8]) throws(FormatError) -> Bool {
    let name = String(decoding: argument, as: UTF8.self)
    if let known = try cacheItem(name) {
      items += known
      return true
    }
    if name.hasPrefix("VCL_Log:") {
      items.append(.logKey(Array(argument.dropFirst("VCL_Log:".utf8.count))))
      return true
    }
    if name.hasPrefix("VSL:"), rules.has(since: 4, 1, 3) {
      items.append(try recordItem(Array(argument.dropFirst("VSL:".utf8.count)), spelling: name))
      return true
    }
    if isTemplate, name.hasPrefix("Spillway:"),
      let known = try ownItem(String(name.dropFirst("Spillway:".count)))
    {
      items.append(known)
      return true
    }
    guard rules.since(4, 1) else { return false }
    throw .unknownExtension(name)
  }

  /// The items that `Varnish:` supports, also under its other name.
  private func cacheItem(_ name: String) throws(FormatError) -> [FormatItem]? {
    let prefix = ["Varnish:", "Vinyl:"].first { name.hasPrefix($0) }
    guard let prefix else { return nil }
    switch name.dropFirst(prefix.count) {
    case "time_firstbyte": return [.field(.firstByte)]
    case "hitmiss": return [.hitMiss]
    case "handling": return [.handling]
    case "side" where rules.has(since: 4, 1, 3): return [.side]
    case "vxid" where rules.has(since: 4, 1, 3): return [.vxid]
    case "default_format" where rules.has(since: 7, 5):
      return try FormatParser.parse(Self.defaultFormat, rules: rules, isJSON: isJSON)
    default: return nil
    }
  }

  private func ownItem(_ name: String) throws(FormatError) -> FormatItem? {
    switch name {
    case "time": return .timeNumber(.timestamp)
    case "time_ns": return .timeNumber(.nanoseconds)
    case "duration": return .duration(.decimalSeconds)
    case "duration_ns": return .duration(.nanoseconds)
    case "query": return .query
    case "protocol_version": return .protocolVersion
    case "host": return .host
    case "port": return .port(fallback: nil)
    case "client_port": return .clientPort
    default:
      if name.hasPrefix("port:"), let port = UInt16(name.dropFirst("port:".count)) {
        return .port(fallback: Array(String(port).utf8))
      }
      guard name.hasPrefix("utc:") else { return nil }
      return try strftimeItem(Array(name.dropFirst("utc:".count).utf8), isUTC: true)
    }
  }

  /// A field's number as C's `strtol` reads it, which accepts blanks and a sign in front; larger numbers give
  /// the largest one.
  private static func fieldNumber(_ text: ArraySlice<UInt8>) -> Int? {
    var rest = text.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
    guard !rest.isEmpty else { return nil }
    var number = 0
    for byte in rest {
      guard ASCII.isDigit(byte) else { return nil }
      number = min(number, Int.max / 10 - 1) * 10 + Int(byte - 0x30)
    }
    return isNegative ? -number : number
  }

  /// Reads `TAG[:PREFIX][[FIELD]]`.
  private func recordItem(
    _ text: [UInt8], spelling: String
  ) throws(FormatError) -> FormatItem {
    guard !text.isEmpty else { throw .missingTag(spelling) }
    var head = text[...]
    var field: Int?
    if text.last == UInt8(ascii: "]") {
      // Before the tag is looked up: a closing bracket without an opening one, or without a number, isn't
      // part of a tag.
      guard let open = text.lastIndex(of: UInt8(ascii: "[")), open > 0,
        let value = Self.fieldNumber(text[(open + 1)..<(text.count - 1)])
      else { throw .syntax(spelling) }
      guard (1...rules.fieldNumberMax).contains(value) else {
        throw .fieldOutOfRange(
          String(decoding: text, as: UTF8.self), limited: rules.fieldNumberMax == 255)
      }
      field = value
      head = text[..<open]
    }
    let spelled = String(decoding: head, as: UTF8.self)
    var prefix: [UInt8]?
    if let colon = head.firstIndex(of: UInt8(ascii: ":")) {
      prefix = Array(head[(colon + 1)...])
      head = head[..<colon]
    }
    switch TagLookup(head, in: rules.version) {
    case .unknown: throw .unknownTag(spelled)
    case .ambiguous: throw .ambiguousTag(spelled)
    case .found(let tag):
      guard isJSON || !rules.refusesFlaggedTags || tag.flag(in: rules.version) == nil else {
        throw .flaggedTag(tag.name)
      }
      return .record(tag: tag, prefix: prefix, field: field)
    }
  }
}
