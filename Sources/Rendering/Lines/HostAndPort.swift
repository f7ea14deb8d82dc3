import VarnishLog

/// The two parts of a `Host` header.
struct HostAndPort {
  /// The name or address, an IPv6 address with its brackets; nil if the header has neither.
  let host: LogBytes?
  /// The port's digits, without zeros in front; nil if the header has none from 1 to 65535.
  let port: LogBytes?

  /// The largest size of a name or address.
  private static let hostByteCountMax = 255

  /// Splits a header's value, which the client can choose freely.
  ///
  /// A host consists of the characters of names and addresses: letters, digits, `-`, `.` and `_`, or it is an
  /// IPv6 address in brackets. If there is anything else, both parts are nil.
  ///
  /// - Parameter allowsAddress: whether an IPv6 address is accepted, too.
  init(_ value: LogBytes, allowsAddress: Bool = true) {
    let end = Self.hostEnd(of: value)
    guard allowsAddress || value.count == 0 || value[0] != UInt8(ascii: "["),
      (1...Self.hostByteCountMax).contains(end), end == value.count || value[end] == UInt8(ascii: ":"),
      // A second colon makes it an address without brackets, or invalid.
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

  /// The end of the name or address at the beginning of a value.
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
