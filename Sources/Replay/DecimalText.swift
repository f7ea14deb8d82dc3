import VarnishLog

/// Writes and reads decimal numbers.
enum DecimalText {
  /// Writes a number.
  ///
  /// - Returns: how many digits it has, at most 20.
  static func write(_ number: UInt64, to memory: UnsafeMutableRawPointer) -> Int {
    var count = 1
    var rest = number / 10
    while rest > 0 {
      count += 1
      rest /= 10
    }
    rest = number
    for index in stride(from: count - 1, through: 0, by: -1) {
      unsafe memory.storeBytes(of: UInt8(rest % 10) + 0x30, toByteOffset: index, as: UInt8.self)
      rest /= 10
    }
    return count
  }

  /// The number in a field of decimal digits without leading zeros, as a server writes it; nil for any other
  /// field, or for more digits than a transaction's number has.
  static func vxid(_ field: LogBytes) -> UInt64? {
    guard (1...16).contains(field.count), field.count == 1 || field[0] != UInt8(ascii: "0") else {
      return nil
    }
    var number: UInt64 = 0
    for index in 0..<field.count {
      let byte = field[index]
      guard ASCII.isDigit(byte) else { return nil }
      number = number * 10 + UInt64(byte - 0x30)
    }
    return number
  }
}
