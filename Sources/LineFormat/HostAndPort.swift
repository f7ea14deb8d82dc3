import ShmLog

/// The two parts of a `Host` header.
struct HostAndPort {
  /// The name or address, an address of IPv6 with its brackets.
  let host: LogBytes
  /// The digits behind the colon; nil if there are none.
  let port: LogBytes?

  /// Splits at the colon in front of digits.
  ///
  /// What doesn't look like a host with a port is all host.
  init(_ value: LogBytes) {
    var digits = value.count
    while digits > 0, ASCII.isDigit(value[digits - 1]) { digits -= 1 }
    let colon = digits - 1
    guard colon >= 0, value[colon] == UInt8(ascii: ":"),
      // An address of IPv6 without brackets has more than one colon, and no port.
      value.firstIndex(of: UInt8(ascii: ":")) == colon
        || (colon > 0 && value[colon - 1] == UInt8(ascii: "]"))
    else {
      (host, port) = (value, nil)
      return
    }
    host = value.prefix(colon)
    port = digits < value.count ? value.dropFirst(digits) : nil
  }
}
