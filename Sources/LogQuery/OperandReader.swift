import VarnishLog

/// Reads the numbers that stand in a query.
enum OperandReader {
  /// What is wrong with a word, without its place.
  struct Fault: Error {
    let reason: QueryError.Reason
  }

  /// The levels that `N`, `N-` or `N+` stands for.
  static func levels(_ word: [UInt8]) throws(Fault) -> ClosedRange<Int> {
    let (number, suffix) = withText(of: word) { text in
      let number = CInteger(text)
      return (Int32(truncatingIfNeeded: number.value), word.dropFirst(number.end))
    }
    guard number >= 0 else { throw Fault(reason: .notPositive) }
    let level = Int(number)
    switch suffix {
    case []: return level...level
    case [UInt8(ascii: "-")]: return 0...level
    case [UInt8(ascii: "+")]: return level...Int.max
    default: throw Fault(reason: .badLevel)
    }
  }

  /// A field's number, from 1; nil if it isn't one.
  static func field(_ word: [UInt8]) -> Int? {
    withText(of: word) { text in
      let number = CInteger(text)
      // The reference tools keep 32 bits of the number.
      let field = Int32(truncatingIfNeeded: number.value)
      return number.end == text.count && field > 0 ? Int(field) : nil
    }
  }

  /// A number without a point; nil if it isn't one.
  static func integer(_ word: [UInt8]) -> Int64? {
    withText(of: word) { NumberRules.integerOperand($0) }
  }

  /// A number with a point; nil if it isn't one.
  static func decimal(_ word: [UInt8], _ rules: NumberRules) -> Double? {
    withText(of: word) { rules.decimalOperand($0) }
  }

  private static func withText<Result>(of word: [UInt8], _ body: (LogBytes) -> Result) -> Result {
    // One byte more than the text has, so that there always is an address.
    unsafe (word + [0]).withUnsafeBytes { buffer in
      let start = unsafe buffer.baseAddress ?? RecordRun<NarrowRecords>.empty.start
      return unsafe body(LogBytes(start: start, count: word.count))
    }
  }
}
