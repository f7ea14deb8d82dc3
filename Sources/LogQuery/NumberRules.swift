import VarnishLog

/// How a text is read as a number (`query-language.md` 6); it changed several times.
///
/// A text that isn't a number compares as neither equal nor unequal to anything.
enum NumberRules: Sendable, CaseIterable {
  /// 4.0: like `classic`, but fractions are anything that C's `strtod` reads.
  case lenient
  /// 4.1 to 6.5.
  case classic
  /// 6.6: like `classic`, but where an integer is wanted, a fraction is cut off.
  case truncating
  /// 7.0 to 7.5: decimal only, at most 15 digits before the point and three behind it; the rest of the text
  /// is ignored.
  case structured
  /// 7.6 and newer: all that C reads, from end to end.
  case exact

  init(of version: VarnishVersion) {
    self =
      switch version {
      case ..<VarnishVersion(4, 1, 0): .lenient
      case ..<VarnishVersion(6, 6, 0): .classic
      case ..<VarnishVersion(7, 0, 0): .truncating
      case ..<VarnishVersion(7, 6, 0): .structured
      default: .exact
      }
  }

  // MARK: Of a record

  /// The integer that a record's text stands for; nil if it isn't a number.
  func integer(_ text: LogBytes) -> Int64? {
    if let plain = Self.plainInteger(text) { return plain }
    guard text.count > 0 else { return nil }
    switch self {
    case .lenient, .classic:
      let number = CInteger(text)
      return Self.ends(text, at: number.end) ? number.value : nil
    case .truncating:
      let number = CInteger(text)
      if Self.goesOn(text, at: number.end) {
        return Self.classicDecimal(text).flatMap { Int64(exactly: $0.rounded(.towardZero)) }
      }
      return Self.ends(text, at: number.end) ? number.value : nil
    case .structured:
      return StructuredNumber(text)?.integer
    case .exact:
      let number = CInteger(text)
      if number.end == text.count { return number.overflows ? nil : number.value }
      guard Self.goesOn(text, at: number.end), let (value, end, _) = CDecimal.scan(text),
        end == text.count
      else { return nil }
      return Int64(exactly: value.rounded(.towardZero))
    }
  }

  /// The fraction that a record's text stands for; nil if it isn't a number.
  func decimal(_ text: LogBytes) -> Double? {
    guard text.count > 0 else { return nil }
    switch self {
    case .lenient:
      guard let (value, end, _) = CDecimal.scan(text), Self.ends(text, at: end) else { return nil }
      return value
    case .classic, .truncating: return Self.classicDecimal(text)
    case .structured: return StructuredNumber(text)?.decimal
    case .exact:
      if let plain = text.plainDecimal { return plain }
      guard let (value, end, overflows) = CDecimal.scan(text), end == text.count, !overflows else {
        return nil
      }
      return value
    }
  }

  // MARK: Of a query

  /// An operand without a point; nil if it isn't an integer.
  ///
  /// An integer out of range becomes the nearest one that fits, and an empty operand is 0.
  static func integerOperand(_ text: LogBytes) -> Int64? {
    let number = CInteger(text)
    return text.dropFirst(number.end).trimmed.count == 0 ? number.value : nil
  }

  /// An operand with a point; nil if it isn't a number.
  func decimalOperand(_ text: LogBytes) -> Double? {
    switch self {
    case .classic, .truncating:
      let digits = text.trimmed
      return CDecimal.classicEnd(digits) == digits.count ? CDecimal.scan(digits)?.value : nil
    case .lenient, .exact:
      guard let (value, end, _) = CDecimal.scan(text),
        text.dropFirst(end).trimmed.count == 0
      else { return nil }
      return value
    case .structured:
      guard let number = StructuredNumber(text) else { return nil }
      let rest = text.dropFirst(number.end)
      for index in 0..<rest.count where rest[index] != 0x20 && rest[index] != 0x09 { return nil }
      return number.decimal
    }
  }

  // MARK: Common

  /// The usual case, which all releases read alike: up to 15 digits, the first not 0.
  @inline(__always)
  private static func plainInteger(_ text: LogBytes) -> Int64? {
    guard text.count > 0, text.count <= 15, text[0] != 0x30 else { return nil }
    var value: Int64 = 0
    for index in 0..<text.count {
      let byte = text[index]
      guard ASCII.isDigit(byte) else { return nil }
      // Fifteen digits fit.
      value = value &* 10 &+ Int64(byte &- 0x30)
    }
    return value
  }

  private static func classicDecimal(_ text: LogBytes) -> Double? {
    guard let end = CDecimal.classicEnd(text), ends(text, at: end) else { return nil }
    return CDecimal.scan(text.prefix(end))?.value
  }

  /// Whether a number that ends here is followed by the end of the text or by white space.
  private static func ends(_ text: LogBytes, at index: Int) -> Bool {
    index == text.count || ASCII.isSpace(text[index])
  }

  /// Whether an integer that ends here may be the front of a fraction.
  private static func goesOn(_ text: LogBytes, at index: Int) -> Bool {
    index < text.count && (text[index] == UInt8(ascii: ".") || text[index] == UInt8(ascii: "e"))
  }
}
