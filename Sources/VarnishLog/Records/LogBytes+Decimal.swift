extension LogBytes {
  /// What the bytes stand for if they are digits, perhaps with a fraction, and nothing else; nil otherwise, or
  /// if there are so many that a calculation would round.
  ///
  /// Both the digits and the power of ten are exact, so one division gives what C's `strtod` gives.
  public var plainDecimal: Double? {
    guard count > 0, count <= 17 else { return nil }
    var digits: UInt64 = 0
    let whole = appendDigits(from: 0, to: &digits)
    guard whole > 0 else { return nil }
    if whole == count { return digits < 1 << 53 ? Double(digits) : nil }
    guard self[whole] == UInt8(ascii: ".") else { return nil }
    let fraction = count &- whole &- 1
    guard appendDigits(from: whole &+ 1, to: &digits) == fraction, digits < 1 << 53 else { return nil }
    // Of 17 bytes at most 15 stand behind a digit and a point.
    return Double(digits) / Self.powersOfTen[fraction]
  }

  private static let powersOfTen: [Double] = [
    1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
  ]

  /// Reads as many digits as there are.
  ///
  /// - Returns: how many.
  @inline(__always)
  private func appendDigits(from first: Int, to number: inout UInt64) -> Int {
    var index = first
    while index < count {
      // index < count, as was just asked.
      let digit = unsafe start.load(fromByteOffset: index, as: UInt8.self) &- 0x30
      guard digit <= 9 else { break }
      number = number &* 10 &+ UInt64(digit)
      index &+= 1
    }
    return index &- first
  }
}
