/// An absolute time as it stands in a record: seconds since 1970, usually with a fraction.
package struct RecordedTime: Equatable {
  /// The time.
  package var nanoseconds: Int64
  /// How many digits stand behind the point; without any there is no point either.
  package let fractionDigits: Int

  /// The range of numbers that are taken for points in time: from 1973 to 2255.
  ///
  /// A smaller number is a length of time, or a time that isn't known.
  private static let seconds: Range<Int64> = 100_000_000..<9_000_000_000

  /// Understands a field of a record; nil if it is something else.
  package init?(_ field: LogBytes) {
    let whole = field.firstIndex(of: UInt8(ascii: ".")) ?? field.count
    let fraction = max(0, field.count - whole - 1)
    guard whole <= 10, fraction <= 9, fraction > 0 || whole == field.count,
      let seconds = Self.digits(field.prefix(whole)), Self.seconds.contains(seconds),
      var part = fraction == 0 ? 0 : Self.digits(field.dropFirst(whole + 1))
    else { return nil }
    for _ in fraction..<9 { part *= 10 }
    nanoseconds = seconds * 1_000_000_000 + part
    fractionDigits = fraction
  }

  private static func digits(_ bytes: LogBytes) -> Int64? {
    var number: Int64 = 0
    // At most ten of them.
    for index in 0..<bytes.count {
      let byte = bytes[index]
      guard ASCII.isDigit(byte) else { return nil }
      number = number * 10 + Int64(byte - 0x30)
    }
    return bytes.count > 0 ? number : nil
  }
}
