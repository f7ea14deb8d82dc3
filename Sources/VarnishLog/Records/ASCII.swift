/// The few facts about ASCII that the log's formats rest on.
public enum ASCII {
  /// The byte with an upper-case letter made lower-case; others as they are.
  @inlinable
  public static func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
  }

  /// Whether C's `isspace` holds in the C locale: blank, TAB, LF, VT, FF, CR.
  @inlinable
  public static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte &- 9 < 5
  }

  /// Whether the byte is a decimal digit.
  @inlinable
  public static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
}
