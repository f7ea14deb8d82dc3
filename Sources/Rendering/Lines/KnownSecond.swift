import VarnishLog

/// The second of the last time that was read from a log.
///
/// Thousands of transactions share a second, which shows in the ten digits before the point: so a time is
/// converted to a number only if these differ, or if it isn't written as usual. The comparison takes 25
/// instructions a line, where the conversion took 200.
@safe struct KnownSecond {
  /// The ten digits and the point, in two words that share a byte.
  private var head: UInt64 = 0
  private var tail: UInt32 = 0
  /// Negative until a second is known.
  private var second: Int64 = -1

  /// The length of ten digits, a point, and six digits.
  private static let byteCount = 17
  /// Up to here the double nearest to a time is in the same second as the time.
  private static let secondMax: Int64 = 1 << 32

  /// The second of a time, if it is the known one; nil if that can't be told.
  @inline(__always)
  func second(of text: LogBytes) -> Int64? {
    guard text.count == Self.byteCount, second >= 0 else { return nil }
    // All loads are within the seventeen bytes.
    let (head, tail, fraction) = unsafe (
      text.start.loadUnaligned(as: UInt64.self), text.start.loadUnaligned(fromByteOffset: 7, as: UInt32.self),
      text.start.loadUnaligned(fromByteOffset: 9, as: UInt64.self)
    )
    guard head == self.head, tail == self.tail, Self.areDigits(UInt64(littleEndian: fraction) >> 16) else {
      return nil
    }
    return second
  }

  /// Converts a time to a number of seconds, and remembers its second; nil if it isn't a number.
  @inline(never)
  mutating func read(_ text: LogBytes) -> Double? {
    guard text.count == Self.byteCount else { return LogNumber.seconds(text) }
    // A copy is remembered, as another process may change the text after it was converted.
    var copy: (UInt64, UInt64, UInt64) = (0, 0, 0)
    return unsafe withUnsafeMutableBytes(of: &copy) { bytes in
      unsafe bytes.copyMemory(from: text.buffer)
      guard let start = bytes.baseAddress else { return nil }
      let text = unsafe LogBytes(start: start, count: Self.byteCount)
      guard let seconds = LogNumber.seconds(text) else { return nil }
      note(Int64(seconds.rounded(.down)), of: text)
      return seconds
    }
  }

  private mutating func note(_ second: Int64, of text: LogBytes) {
    guard (0..<Self.secondMax).contains(second), text[10] == UInt8(ascii: "."),
      unsafe text.prefix(10).buffer.allSatisfy(ASCII.isDigit)
    else { return }
    unsafe head = text.start.loadUnaligned(as: UInt64.self)
    unsafe tail = text.start.loadUnaligned(fromByteOffset: 7, as: UInt32.self)
    self.second = second
  }

  /// Whether the lower six bytes are digits.
  @inline(__always)
  private static func areDigits(_ bytes: UInt64) -> Bool {
    // The upper half of a digit is 3, and stays so if 6 is added.
    let high: UInt64 = 0xF0F0_F0F0_F0F0
    return bytes & high | ((bytes &+ 0x0606_0606_0606) & high) >> 4 == 0x3333_3333_3333
  }
}
