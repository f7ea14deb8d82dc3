import CShims

/// The prefix of the lines of one transaction: its level and, in verbose text, its number.
///
/// Made once for a transaction's lines, in its own memory; copied to each line as two words and a rest.
@safe struct LinePrefix {
  // Invariant: `count` is at most `byteCountMax`, a multiple of the sixteen bytes that are copied at once: between
  // two calls of `clear`, a level and a number are all that is added.

  /// The longest: a level of any number of digits, and a transaction number of as many.
  static let byteCountMax = 48

  private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCountMax, alignment: 8)
  private(set) var count = 0

  func deallocate() { unsafe bytes.deallocate() }

  /// Removes everything from the prefix.
  mutating func clear() { count = 0 }

  /// Adds the level three times as a mark, or as a number between two of them, and a blank.
  mutating func add(level: Int, mark: UInt8) {
    if level > 3 {
      add(mark)
      add(decimal: UInt64(level), width: 0)
      add(mark)
    } else {
      for column in 0..<3 { add(column < level ? mark : UInt8(ascii: " ")) }
    }
    add(UInt8(ascii: " "))
  }

  /// Adds a number with blanks in front of it, up to a width.
  mutating func add(decimal number: UInt64, width: Int) {
    var digits = 1
    var limit = number / 10
    while limit > 0 {
      digits += 1
      limit /= 10
    }
    for _ in stride(from: digits, to: width, by: 1) { add(UInt8(ascii: " ")) }
    var rest = number
    for place in stride(from: count + digits - 1, through: count, by: -1) {
      unsafe bytes[place] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    count += digits
  }

  /// Adds one byte.
  mutating func add(_ byte: UInt8) {
    unsafe bytes[count] = byte
    count += 1
  }

  /// Copies the prefix to `target`, which has room for `byteCountMax` bytes.
  @inline(__always)
  func copy(to target: UnsafeMutableRawPointer) {
    guard let base = unsafe bytes.baseAddress else { return }
    // Nearly always one step; the bytes copied beyond `count` are overwritten.
    unsafe shim_copy_rounded(target, base, count)
  }
}
