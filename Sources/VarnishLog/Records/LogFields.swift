internal import CShims

/// The fields of a text that white space (C's `isspace`) separates.
///
/// In a text of at most 64 bytes, as nearly all are that fields are taken from, all fields are located at
/// once, sixteen bytes at a time.
@frozen @safe
public struct LogFields {
  // Invariant: in a text of 1 to 64 bytes no bit of `words` is set from its end on.

  @usableFromInline let text: LogBytes
  /// A bit for each byte that belongs to a field, the first byte's the lowest; 0 for longer texts.
  @usableFromInline let words: UInt64

  @usableFromInline static var byteCountMax: Int { 64 }

  /// Looks for a text's fields.
  public init(_ text: LogBytes) {
    self.text = text
    words = unsafe (1...Self.byteCountMax).contains(text.count) ? shim_words64(text.start, text.count) : 0
  }

  /// The `number`-th field, counted from 1; nil if there are fewer.
  @inlinable
  public subscript(number: Int) -> LogBytes? {
    guard text.count <= Self.byteCountMax else { return fieldOfLongText(number) }
    guard number > 0 else { return nil }
    // A field begins where the byte in front belongs to none.
    var starts = words & ~(words &<< 1)
    var before = number &- 1
    while before > 0, starts != 0 {
      starts &= starts &- 1
      before &-= 1
    }
    guard starts != 0 else { return nil }
    let from = starts.trailingZeroBitCount
    // It ends in front of the next byte that belongs to none, or with the 64th.
    let count = min((~(words &>> UInt64(from))).trailingZeroBitCount, Self.byteCountMax &- from)
    return unsafe LogBytes(start: text.start + from, count: count)
  }

  @usableFromInline @inline(never)
  func fieldOfLongText(_ number: Int) -> LogBytes? {
    let (start, count) = unsafe (text.start, text.count)
    var index = 0
    var remaining = number
    while true {
      while index < count, unsafe ASCII.isSpace(start.load(fromByteOffset: index, as: UInt8.self)) {
        index += 1
      }
      guard index < count else { return nil }
      let from = index
      while index < count, unsafe !ASCII.isSpace(start.load(fromByteOffset: index, as: UInt8.self)) {
        index += 1
      }
      remaining -= 1
      if remaining == 0 { return unsafe LogBytes(start: start + from, count: index - from) }
    }
  }
}

extension LogBytes {
  /// The `number`-th field, counted from 1, of those that white space separates; nil if there are fewer.
  @inlinable
  public func field(_ number: Int) -> LogBytes? { number == 1 ? firstField : LogFields(self)[number] }

  /// The first of its fields; nil if there is none.
  ///
  /// Looking for it alone takes half the instructions of looking for all fields.
  public var firstField: LogBytes? {
    guard count > 0 else { return nil }
    let word = unsafe shim_first_word(start, count)
    guard word.start < word.end else { return nil }
    return unsafe LogBytes(start: start + word.start, count: word.end - word.start)
  }
}
