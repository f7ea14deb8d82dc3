import VarnishLog

/// A number at the beginning of a text, as 7.0 to 7.5 read it: blanks, a minus, digits, blanks, a point and
/// more digits.
struct StructuredNumber {
  /// The number without its fraction.
  let integer: Int64
  /// The number with three digits of its fraction; nil if it is 10^12 or more.
  let decimal: Double?
  /// Where the number ends.
  let end: Int

  private static let digitCountMax = 15
  private static let fractionalBound: Int64 = 1_000_000_000_000

  init?(_ text: LogBytes) {
    var index = 0
    func skipBlanks() {
      while index < text.count, text[index] == 0x20 || text[index] == 0x09 { index += 1 }
    }
    skipBlanks()
    let isNegative = index < text.count && text[index] == UInt8(ascii: "-")
    if isNegative { index += 1 }
    var whole: Int64 = 0
    var digits = 0
    while index < text.count, ASCII.isDigit(text[index]) {
      digits += 1
      guard digits <= Self.digitCountMax else { return nil }
      whole = whole * 10 + Int64(text[index] - 0x30)
      index += 1
    }
    // Blanks behind the digits belong to the number even if no point follows; without digits, none may
    // precede a point.
    if digits > 0 { skipBlanks() }
    var thousandths: Int64 = 0
    let hasPoint = index < text.count && text[index] == UInt8(ascii: ".")
    if hasPoint {
      index += 1
      var weight: Int64 = 100
      while index < text.count, ASCII.isDigit(text[index]) {
        digits += 1
        thousandths += weight * Int64(text[index] - 0x30)
        weight /= 10
        index += 1
      }
    }
    guard digits > 0 else { return nil }
    let isSmall = whole < Self.fractionalBound
    guard isSmall || !hasPoint else { return nil }
    integer = isNegative ? -whole : whole
    // Equal texts give equal numbers, and the order is kept: below 2^53 the division is exact enough.
    let scaled = Double(isSmall ? whole * 1000 + thousandths : 0) / 1000
    decimal = isSmall ? (isNegative ? -scaled : scaled) : nil
    end = index
  }
}
