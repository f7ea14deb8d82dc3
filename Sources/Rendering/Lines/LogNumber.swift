import Glibc
import VarnishLog

/// Reading the numbers of a log.
enum LogNumber {
  /// A number of seconds, as C's `strtod` reads it; nil if the text isn't a number from end to end, or
  /// not one a clock could show.
  static func seconds(_ text: LogBytes) -> Double? {
    let number = text.plainDecimal ?? anyNumber(text)
    // The bound keeps later conversions to microseconds within 64 bits.
    guard let number, number.magnitude < 1e12 else { return nil }
    return number
  }

  private static func anyNumber(_ text: LogBytes) -> Double? {
    guard text.count > 0, text.count < 256 else { return nil }
    return unsafe withUnsafeTemporaryAllocation(byteCount: text.count + 1, alignment: 1) { copy in
      unsafe copy.copyMemory(from: text.buffer)
      unsafe copy[text.count] = 0
      guard let start = unsafe copy.baseAddress?.assumingMemoryBound(to: CChar.self) else { return nil }
      var end: UnsafeMutablePointer<CChar>?
      let number = unsafe strtod(start, &end)
      guard let end = unsafe end, unsafe end - start == text.count, !number.isNaN else { return nil }
      return number
    }
  }

  /// Whether a text is a number in JSON's notation; then it may be in JSON without quotation marks.
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
    if index < text.count, text[index] | 0x20 == UInt8(ascii: "e") {
      index += 1
      if index < text.count, text[index] == UInt8(ascii: "+") || text[index] == UInt8(ascii: "-") {
        index += 1
      }
      guard digits() > 0 else { return false }
    }
    return index == text.count
  }
}
