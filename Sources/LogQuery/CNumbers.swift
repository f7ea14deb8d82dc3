import Glibc
import VarnishLog

/// An integer at the beginning of a text, as C's `strtoll` reads it with base 0.
struct CInteger {
  /// The number, or the nearest one that fits if it overflows; 0 if there is none.
  private(set) var value: Int64 = 0
  /// Where the number ends; 0 if there is none.
  private(set) var end = 0
  /// Whether the number is too large or too small.
  private(set) var overflows = false

  init(_ text: LogBytes) {
    var index = 0
    while index < text.count, ASCII.isSpace(text[index]) { index += 1 }
    var isNegative = false
    if index < text.count, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
      isNegative = text[index] == UInt8(ascii: "-")
      index += 1
    }
    var base: Int64 = 10
    if index < text.count, text[index] == UInt8(ascii: "0") {
      // The 0 is a number by itself if no hexadecimal digit follows the x.
      end = index + 1
      base = 8
      if index + 2 < text.count, ASCII.lowercased(text[index + 1]) == UInt8(ascii: "x"),
        Self.digit(text[index + 2]) < 16
      {
        base = 16
        index += 2
      }
    }
    while index < text.count {
      let digit = Self.digit(text[index])
      guard digit < base else { break }
      // Accumulated as a negative number, whose range reaches one further.
      let product = value.multipliedReportingOverflow(by: base)
      let sum = product.partialValue.subtractingReportingOverflow(digit)
      if product.overflow || sum.overflow { overflows = true }
      value = overflows ? .min : sum.partialValue
      index += 1
      end = index
    }
    if !isNegative {
      if value == .min { overflows = true }
      value = overflows ? .max : -value
    }
  }

  /// The value of a hexadecimal digit; 99 if the byte is none.
  private static func digit(_ byte: UInt8) -> Int64 {
    if ASCII.isDigit(byte) { return Int64(byte - 0x30) }
    let letter = ASCII.lowercased(byte) &- UInt8(ascii: "a")
    return letter < 6 ? Int64(letter) + 10 : 99
  }
}

/// Numbers with a fraction, at the beginning of a text.
enum CDecimal {
  /// The number that C's `strtod` reads, where it ends, and whether it is too large for a `Double`; nil if
  /// there is none.
  static func scan(_ text: LogBytes) -> (value: Double, end: Int, overflows: Bool)? {
    unsafe withUnsafeTemporaryAllocation(byteCount: text.count + 1, alignment: 1) { copy in
      unsafe copy.copyMemory(from: text.buffer)
      unsafe copy[text.count] = 0
      guard let start = unsafe copy.baseAddress?.assumingMemoryBound(to: CChar.self) else { return nil }
      var end: UnsafeMutablePointer<CChar>?
      errno = 0
      let value = unsafe strtod(start, &end)
      guard let end = unsafe end, unsafe end > start else { return nil }
      return unsafe (value, end - start, errno == ERANGE && value.isInfinite)
    }
  }

  /// Where a decimal number ends: blanks, a sign, digits with at most one point, an exponent; nil if there
  /// is none.
  static func classicEnd(_ text: LogBytes) -> Int? {
    var index = 0
    while index < text.count, ASCII.isSpace(text[index]) { index += 1 }
    func skipSign() {
      if index < text.count, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
        index += 1
      }
    }
    func skipDigits() -> Int {
      let from = index
      while index < text.count, ASCII.isDigit(text[index]) { index += 1 }
      return index - from
    }
    skipSign()
    var digits = skipDigits()
    if index < text.count, text[index] == UInt8(ascii: ".") {
      index += 1
      digits += skipDigits()
    }
    guard digits > 0 else { return nil }
    if index < text.count, ASCII.lowercased(text[index]) == UInt8(ascii: "e") {
      index += 1
      skipSign()
      guard skipDigits() > 0 else { return nil }
    }
    return index
  }
}
