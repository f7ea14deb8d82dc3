import Glibc

/// Counter values that encode the section, the counter and the life of the section to which they belong.
///
/// So a torn value, an old one or one of another counter can't be taken for the right one.
public enum CheckedCounters {
  /// A value: a check of section, counter and life in the upper 16 bits, the life, and a number that changes.
  public static func value(_ section: String, _ counter: Int, life: UInt32, count: UInt16) -> UInt64 {
    UInt64(check(section, counter, life)) << 48 | UInt64(life) << 16 | UInt64(count)
  }

  /// The life of a section to which its counters belong; nil if all are 0, as at the beginning of a life.
  ///
  /// - Throws: If a value is missing or belongs to another counter, or if the values are of different lives.
  public static func life(_ section: String, _ values: [UInt64?]) throws(SupportError) -> UInt32? {
    var found: UInt32?
    for (counter, value) in values.enumerated() {
      guard let value else { throw SupportError("\(section): counter \(counter) is missing") }
      if value == 0 { continue }
      let life = UInt32(truncatingIfNeeded: value >> 16)
      guard UInt16(value >> 48) == check(section, counter, life) else {
        throw SupportError(
          "\(section): counter \(counter) has the value \(String(value, radix: 16)), not its own")
      }
      if let found, found != life {
        throw SupportError("\(section): counters of lives \(found) and \(life)")
      }
      found = life
    }
    return found
  }

  private static func check(_ section: String, _ counter: Int, _ life: UInt32) -> UInt16 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in "\(section) \(counter) \(life)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    // Never 0, so that no value is 0: 0 means that the counter hasn't been set.
    return UInt16(truncatingIfNeeded: hash >> 20) | 1
  }
}
