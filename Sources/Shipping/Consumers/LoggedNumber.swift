/// Reads numbers as they are written in logs.
package enum LoggedNumber {
  /// Larger numbers are refused: they are beyond anything that is measured, and ten times this one is still
  /// far from what any type can hold.
  private static let max: UInt64 = 100_000_000_000_000_000

  /// A whole number; nil for anything else, such as the dash for a missing value.
  package static func whole(_ text: UnsafeRawBufferPointer) -> UInt64? {
    guard unsafe !text.isEmpty else { return nil }
    var number: UInt64 = 0
    for index in 0..<text.count {
      let digit = unsafe text[index] &- UInt8(ascii: "0")
      guard digit < 10, number < max else { return nil }
      number = number * 10 + UInt64(digit)
    }
    return number
  }

  /// Seconds with or without a fraction, in microseconds; nil for anything else.
  package static func microseconds(_ text: UnsafeRawBufferPointer) -> UInt64? {
    var number: UInt64 = 0
    var decimals = -1
    guard unsafe !text.isEmpty else { return nil }
    for index in 0..<text.count {
      let byte = unsafe text[index]
      if byte == UInt8(ascii: "."), decimals < 0 {
        decimals = 0
        continue
      }
      let digit = byte &- UInt8(ascii: "0")
      guard digit < 10, number < max else { return nil }
      if decimals == 6 { continue }
      number = number * 10 + UInt64(digit)
      if decimals >= 0 { decimals += 1 }
    }
    for _ in Swift.max(0, decimals)..<6 {
      guard number < max else { return nil }
      number *= 10
    }
    return number
  }
}
