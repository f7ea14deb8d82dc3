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
    var fraction = -1
    for index in 0..<text.count {
      let byte = text[index]
      if ASCII.isDigit(byte) {
        digits = digits &* 10 &+ UInt64(byte &- 0x30)
        if fraction >= 0 { fraction += 1 }
      } else if byte == UInt8(ascii: "."), fraction < 0, index > 0 {
        fraction = 0
      } else {
        return nil
      }
    }
    guard digits < 1 << 53, fraction < powersOfTen.count else { return nil }
    return fraction > 0 ? Double(digits) / powersOfTen[fraction] : Double(digits)
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
