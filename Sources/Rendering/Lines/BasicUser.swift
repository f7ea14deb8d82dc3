import VarnishLog

/// The user name in an `Authorization` header (`ncsa-format.md` 5.4).
enum BasicUser {
  /// The token of a header value with the scheme `basic`; nil for other schemes.
  static func token(in value: LogBytes) -> LogBytes? {
    guard value.hasPrefix(lowercased: "basic"), value.count > 5, value[5] == 0x20 else { return nil }
    return value.dropFirst(5).trimmed
  }

  /// Decodes a token up to the first colon.
  ///
  /// - Parameters:
  ///   - strictly: whether only valid base64 is decoded, as from 7.4 on, or anything, as older versions do.
  ///   - scratch: memory for the name; tokens for which it has no room count as undecodable.
  /// - Returns: the name; nil if the token can't be decoded.
  static func decode(
    _ token: LogBytes, strictly: Bool, into scratch: UnsafeMutableRawBufferPointer
  ) -> LogBytes? {
    guard let base = scratch.baseAddress, (token.count + 3) / 4 * 3 <= scratch.count else { return nil }
    let count =
      unsafe strictly
      ? decodeStrictly(token, into: scratch) : decodeLeniently(token, into: scratch)
    guard let count else { return nil }
    let name = unsafe LogBytes(start: UnsafeRawPointer(base), count: count)
    let end = min(name.firstIndex(of: UInt8(ascii: ":")) ?? count, name.firstIndex(of: 0) ?? count)
    return name.prefix(end)
  }

  private static func decodeStrictly(
    _ token: LogBytes, into scratch: UnsafeMutableRawBufferPointer
  ) -> Int? {
    guard token.count % 4 == 0 else { return nil }
    var count = 0
    for from in stride(from: 0, to: token.count, by: 4) {
      var bits: UInt32 = 0
      var padding = 0
      for index in from..<from + 4 {
        if token[index] == UInt8(ascii: "=") {
          guard index >= token.count - 2, index - from >= 2 else { return nil }
          padding += 1
          bits <<= 6
        } else {
          guard padding == 0, let value = value(of: token[index]) else { return nil }
          bits = bits << 6 | UInt32(value)
        }
      }
      for byte in 0..<3 - padding {
        unsafe scratch[count] = UInt8(truncatingIfNeeded: bits >> UInt32(16 - 8 * byte))
        count += 1
      }
    }
    return count
  }

  /// As many groups of four characters of name and password as fit into the old tools' memory.
  private static let groupsMax = 42

  private static func decodeLeniently(
    _ token: LogBytes, into scratch: UnsafeMutableRawBufferPointer
  ) -> Int? {
    guard (token.count + 3) / 4 <= groupsMax else { return nil }
    var count = 0
    for from in stride(from: 0, to: token.count, by: 4) {
      // An incomplete group isn't shifted up: its bits stay at the low end.
      var bits: UInt32 = 0
      for index in from..<min(from + 4, token.count) {
        let isPadding = token[index] == UInt8(ascii: "=")
        guard let value = isPadding ? 0 : value(of: token[index]) else { return nil }
        bits = bits << 6 | UInt32(value)
      }
      for byte in 0..<3 {
        unsafe scratch[count] = UInt8(truncatingIfNeeded: bits >> UInt32(16 - 8 * byte))
        count += 1
      }
    }
    return count
  }

  static func value(of byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
