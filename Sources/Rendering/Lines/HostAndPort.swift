import VarnishLog

/// The two parts of a `Host` header.
struct HostAndPort {
  /// The name or address, an address of IPv6 with its brackets; nil if the header is no such thing.
  let host: LogBytes?
  /// The port's digits, without zeros in front; nil if the header has none from 1 to 65535.
  let port: LogBytes?

  /// The most bytes that a name has, and those that stand in its place.
  private static let hostByteCountMax = 255

  /// Splits a header's value, which is what a client chose to send.
  ///
  /// A host is what names and addresses are made of: letters, digits, `-`, `.` and `_`, or an address of IPv6
  /// in brackets. Where there is anything else, neither part is known.
  ///
  /// - Parameter allowsAddress: whether an address of IPv6 is known, too.
  init(_ value: LogBytes, allowsAddress: Bool = true) {
    let end = Self.hostEnd(of: value)
    guard allowsAddress || value.count == 0 || value[0] != UInt8(ascii: "["),
      (1...Self.hostByteCountMax).contains(end), end == value.count || value[end] == UInt8(ascii: ":"),
      // A second colon makes it an address without its brackets, or nothing at all.
      end == value.count || value.dropFirst(end + 1).firstIndex(of: UInt8(ascii: ":")) == nil
    else {
      (host, port) = (nil, nil)
      return
    }
    host = value.prefix(end)
    port = end == value.count ? nil : Self.port(value.dropFirst(end + 1))
  }

  /// The digits of a text that is a port's number.
  static func port(_ text: LogBytes) -> LogBytes? {
    var number = 0
    var zeros = 0
    for index in 0..<text.count {
      let byte = text[index]
      guard ASCII.isDigit(byte) else { return nil }
      number = number * 10 + Int(byte - 0x30)
      guard number <= UInt16.max else { return nil }
      if number == 0 { zeros += 1 }
    }
    return number > 0 ? text.dropFirst(zeros) : nil
  }

  /// Where the name or address ends that a value begins with.
  private static func hostEnd(of value: LogBytes) -> Int {
    var end = 0
    if value.count > 0, value[0] == UInt8(ascii: "[") {
      end = 1
      while end < value.count, isAddressByte(value[end]) { end += 1 }
      return end > 2 && end < value.count && value[end] == UInt8(ascii: "]") ? end + 1 : 0
    }
    while end < value.count, isNameByte(value[end]) { end += 1 }
    return end
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
    default: ASCII.isDigit(byte) || ASCII.lowercased(byte) &- 0x61 < 26
    }
  }

  private static func isAddressByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: ":"), UInt8(ascii: "."): true
    default: ASCII.isDigit(byte) || ASCII.lowercased(byte) &- 0x61 < 6
    }
  }
}
