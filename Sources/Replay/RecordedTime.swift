import VarnishLog

extension RecordedTime {
  /// The time moved by some nanoseconds, with the same precision; nil if it would be before 1970.
  func moved(by distance: Int64) -> RecordedTime? {
    let (sum, overflow) = nanoseconds.addingReportingOverflow(distance)
    guard !overflow, sum >= 0 else { return nil }
    var moved = self
    moved.nanoseconds = sum
    return moved
  }

  /// Writes the time as records have it, cut to its precision.
  ///
  /// - Returns: the number of bytes, at most 21.
  func write(to memory: UnsafeMutableRawPointer) -> Int {
    var count = unsafe DecimalText.write(UInt64(nanoseconds / 1_000_000_000), to: memory)
    guard fractionDigits > 0 else { return count }
    unsafe memory.storeBytes(of: UInt8(ascii: "."), toByteOffset: count, as: UInt8.self)
    count += 1
    var part = nanoseconds % 1_000_000_000
    for _ in fractionDigits..<9 { part /= 10 }
    for index in stride(from: fractionDigits - 1, through: 0, by: -1) {
      unsafe memory.storeBytes(of: UInt8(part % 10) + 0x30, toByteOffset: count + index, as: UInt8.self)
      part /= 10
    }
    return count + fractionDigits
  }
}
