/// What the text around a value requires of it.
enum ValuePlacement: UInt8, CaseIterable, Sendable {
  /// Nothing: the value is escaped, or its replacement is written.
  case text
  /// The value is one of several words in quotation marks.
  case word
  /// The value is a column without quotation marks.
  case column
  /// As `column`, for a user's name.
  case name
  /// The value is a whole JSON string, without quotation marks if it is missing.
  case string
  /// Only a number is allowed here.
  case number
  /// Only a version of HTTP is allowed here.
  case httpProtocol
}

/// The pieces of a template's format, with the placement of each value.
///
/// This makes the output of a template valid for any log: a value isn't permitted in a place where no
/// escaping would make it harmless.
struct TemplateStructure: Sendable {
  private(set) var items: [FormatItem]
  private(set) var placements: [ValuePlacement]

  /// Examines a format.
  ///
  /// - Parameters:
  ///   - items: its pieces.
  ///   - escaping: how its values are escaped.
  ///   - isNullMissing: whether a missing string is JSON's null.
  /// - Throws: the reason why a value can't stand where it does.
  init(
    _ items: [FormatItem], escaping: Escaping, isNullMissing: Bool
  ) throws(TemplateError.Reason) {
    self.items = items
    placements = Array(repeating: .text, count: items.count)
    switch escaping {
    case .json: try placeInJSON(isNullMissing: isNullMissing)
    case .csv: try checkFields(after: ",", before: ",", notation: "csv")
    case .logfmt: try checkFields(after: "=", before: " ", notation: "logfmt")
    case .w3c:
      if items.contains(.requestLine) { throw .compoundValue("w3c") }
      for (index, item) in items.enumerated() where item == .user { placements[index] = .name }
    case .columns: try placeInColumns()
    default: break
    }
    guard escaping.checksFields else { return }
    for (index, item) in items.enumerated() {
      if placements[index] != .word, item.isNumberField { placements[index] = .number }
      if item == .field(.httpProtocol) { placements[index] = .httpProtocol }
    }
  }

  // MARK: Columns

  private mutating func placeInColumns() throws(TemplateError.Reason) {
    if items.contains(.requestLine) { throw .compoundValue("columns") }
    // The values since the last quotation mark, and whether there was a blank among them.
    var inside: [Int] = []
    var hasBlank = false
    var isQuoted = false
    for index in items.indices {
      guard case .literal(let bytes) = items[index] else {
        if isQuoted {
          inside.append(index)
        } else {
          placements[index] = items[index] == .user ? .name : .column
        }
        continue
      }
      for byte in bytes {
        if byte == 0x20 || byte == 0x09 { hasBlank = true }
        guard byte == UInt8(ascii: "\"") else { continue }
        if isQuoted, hasBlank { for index in inside { placements[index] = .word } }
        isQuoted.toggle()
        inside = []
        hasBlank = false
      }
    }
    guard !isQuoted else { throw .openQuotes }
  }

  // MARK: JSON

  private mutating func placeInJSON(isNullMissing: Bool) throws(TemplateError.Reason) {
    var inString = false
    // Whether the present string consists only of its opening quotation mark so far.
    var isFresh = false
    for index in items.indices {
      if case .literal(let bytes) = items[index] {
        var isEscaped = false
        for byte in bytes {
          if inString, !isEscaped, byte == UInt8(ascii: "\\") {
            isEscaped = true
            isFresh = false
            continue
          }
          if byte == UInt8(ascii: "\""), !isEscaped {
            inString.toggle()
            isFresh = inString
          } else {
            isFresh = false
          }
          isEscaped = false
        }
      } else {
        if !inString {
          guard items[index].isJSONNumber else { throw .unquotedValue }
          placements[index] = items[index].isCheckedNumber ? .number : .text
        } else if isFresh, isNullMissing, items[index].mayBeMissing, endsValue(at: index) {
          placements[index] = .string
        }
        isFresh = false
      }
    }
    guard !inString else { throw .openString }
    // The renderer writes these quotation marks, if there is a value to put between them.
    for index in items.indices where placements[index] == .string {
      trimLiteral(at: index - 1) { $0.removeLast() }
      trimLiteral(at: index + 1) { $0.removeFirst() }
    }
  }

  /// Whether the string that contains a piece ends with it, and isn't a member's name, which can't be null.
  private func endsValue(at index: Int) -> Bool {
    guard index + 1 < items.count, case .literal(let next) = items[index + 1],
      next.first == UInt8(ascii: "\"")
    else { return false }
    let behind = next.dropFirst().first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    return behind != UInt8(ascii: ":")
  }

  private mutating func trimLiteral(at index: Int, _ trim: (inout [UInt8]) -> Void) {
    guard case .literal(var bytes) = items[index] else { return }
    trim(&bytes)
    items[index] = .literal(bytes)
  }

  // MARK: Fields that are quoted when needed

  /// A value that may get quotation marks must be a field's only content.
  private func checkFields(
    after opening: Character, before closing: Character, notation: String
  ) throws(TemplateError.Reason) {
    for (index, item) in zip(items.indices, items) {
      if item == .requestLine { throw .compoundValue(notation) }
      guard item.mayBeMissing || item == .field(.httpProtocol) else { continue }
      let startsField = index == 0 || literal(at: index - 1)?.last == opening.asciiValue
      let endsField =
        index + 1 == items.count || literal(at: index + 1)?.first == closing.asciiValue
      guard startsField, endsField else { throw .mixedField(notation) }
    }
  }

  private func literal(at index: Int) -> [UInt8]? {
    if case .literal(let bytes) = items[index] { return bytes }
    return nil
  }
}

extension FormatItem {
  /// Whether this piece may have no value.
  fileprivate var mayBeMissing: Bool {
    switch self {
    case .field(.httpProtocol): false
    case .field, .user, .requestHeader, .responseHeader, .logKey, .record, .hitMiss, .handling,
      .query, .protocolVersion, .host, .port, .clientPort:
      true
    case .literal, .requestLine, .time, .timeNumber, .duration, .side, .vxid: false
    }
  }

  /// Whether this piece may be used where JSON requires a number.
  fileprivate var isJSONNumber: Bool {
    switch self {
    // Fractions have zeros in front.
    case .timeNumber(.millisecondsFraction), .timeNumber(.microsecondsFraction),
      .timeNumber(.timestamp):
      false
    case .timeNumber, .duration, .vxid: true
    default: isCheckedNumber
    }
  }

  /// Whether this piece is text of the log that may be a number.
  fileprivate var isCheckedNumber: Bool {
    switch self {
    case .field(let field): field.isNumber
    case .requestHeader, .responseHeader, .logKey, .record, .port, .clientPort: true
    default: false
    }
  }

  /// Whether this piece is a number that the log has as text.
  fileprivate var isNumberField: Bool {
    if case .field(let field) = self { field.isNumber } else { false }
  }
}
