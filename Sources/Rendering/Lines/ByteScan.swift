/// Looking at eight bytes at a time.
enum ByteScan {
  /// Whether a word holds no control character, `"`, `\`, rubout or byte above.
  ///
  /// Bytes from 0x7f on are not special everywhere, but rare: then the bytes are looked at one by one.
  @inline(__always)
  static func isClean(_ word: UInt64) -> Bool {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    // Subtracting sets a byte's top bit if the byte was below; a borrow only spreads from one that was.
    let quote = word ^ (ones &* 0x22)
    let backslash = word ^ (ones &* 0x5C)
    let rubout = word ^ (ones &* 0x7F)
    let hits =
      (word &- ones &* 0x20) | (quote &- ones) | (backslash &- ones) | (rubout &- ones) | word
    return hits & highs == 0
  }
}
