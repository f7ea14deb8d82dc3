import Glibc
import ShmLog

/// Reading the numbers of a log.
enum LogNumber {
  private static let powersOfTen: [Double] = [
    1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
  ]

  /// A number of seconds, as C's `strtod` reads it; nil if the text isn't a number from end to end, or
  /// not one a clock could show.
  static func seconds(_ text: LogBytes) -> Double? {
    let number = decimal(text) ?? anyNumber(text)
    // The bound keeps later conversions to microseconds within 64 bits.
    guard let number, number.magnitude < 1e12 else { return nil }
    return number
  }

  /// The common form, digits with a fraction.
  ///
  /// Both the digits and the power of ten are exact, so one division gives what `strtod` gives.
  private static func decimal(_ text: LogBytes) -> Double? {
    guard text.count > 0, text.count <= 17 else { return nil }
    var digits: UInt64 = 0
    let whole = appendDigits(of: text, from: 0, to: &digits)
    guard whole > 0 else { return nil }
    if whole == text.count { return digits < 1 << 53 ? Double(digits) : nil }
    guard text[whole] == UInt8(ascii: ".") else { return nil }
    let fraction = text.count &- whole &- 1
    guard appendDigits(of: text, from: whole &+ 1, to: &digits) == fraction, digits < 1 << 53,
      fraction < powersOfTen.count
    else { return nil }
    return Double(digits) / powersOfTen[fraction]
  }

  /// Reads as many digits as there are.
  ///
  /// - Returns: how many.
  @inline(__always)
  private static func appendDigits(of text: LogBytes, from: Int, to number: inout UInt64) -> Int {
    var index = from
    while index < text.count {
      // index < count, as was just asked.
      let digit = text.start.load(fromByteOffset: index, as: UInt8.self) &- 0x30
      guard digit <= 9 else { break }
      number = number &* 10 &+ UInt64(digit)
      index &+= 1
    }
    return index &- from
  }

  private static func anyNumber(_ text: LogBytes) -> Double? {
    guard text.count > 0, text.count < 256 else { return nil }
    return withUnsafeTemporaryAllocation(byteCount: text.count + 1, alignment: 1) { copy in
      copy.copyMemory(from: text.buffer)
      copy[text.count] = 0
      guard let start = copy.baseAddress?.assumingMemoryBound(to: CChar.self) else { return nil }
      var end: UnsafeMutablePointer<CChar>?
      let number = strtod(start, &end)
      guard let end, end - start == text.count, !number.isNaN else { return nil }
      return number
    }
  }

  /// Whether a text is a number as JSON writes it; then it may stand in JSON without quotation marks.
  static func isJSON(_ text: LogBytes) -> Bool {
    var index = 0
    func digits() -> Int {
      let from = index
      while index < text.count, ASCII.isDigit(text[index]) { index += 1 }
      return index - from
    }
    if index < text.count, text[index] == UInt8(ascii: "-") { index += 1 }
    let first = index
    let whole = digits()
    guard whole > 0, whole == 1 || text[first] != 0x30 else { return false }
    if index < text.count, text[index] == UInt8(ascii: ".") {
      index += 1
      guard digits() > 0 else { return false }
    }
    return index == text.count
  }
}
