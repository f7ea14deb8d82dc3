import CShims
import VarnishLog

extension LogBytes {
  /// The position of the first such byte if it is one of the first sixteen; else nil.
  @inline(__always)
  func firstIndexWithin16(of byte: UInt8) -> Int? {
    guard count > 0 else { return nil }
    let index = unsafe shim_index_within16(start, count, byte)
    return index < 16 ? index : nil
  }

  /// Whether the bytes are a word of a few letters, in any case; `word` is given in lower case, in ASCII.
  ///
  /// Two loads and two comparisons with words that the compiler computes. Half of the records that a line
  /// with its handling and its times depends on are distinguished by such words, which took 500 instructions
  /// a line byte by byte.
  @inline(__always)
  func isWord(_ word: StaticString) -> Bool {
    let length = word.utf8CodeUnitCount
    guard count == length else { return false }
    let letters = unsafe UnsafeRawPointer(word.utf8Start)
    // Both loads are within `length` bytes, which is the number of bytes here; they overlap if it is less
    // than twice the size of a load.
    switch length {
    case 2...3:
      return unsafe isAlike(letters, at: 0, as: UInt16.self)
        && isAlike(letters, at: length - 2, as: UInt16.self)
    case 4...8:
      return unsafe isAlike(letters, at: 0, as: UInt32.self)
        && isAlike(letters, at: length - 4, as: UInt32.self)
    case 9...16:
      return unsafe isAlike(letters, at: 0, as: UInt64.self)
        && isAlike(letters, at: length - 8, as: UInt64.self)
    default: return equals(lowercased: word)
    }
  }

  @inline(__always)
  private func isAlike<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ letters: UnsafeRawPointer, at offset: Int, as type: Word.Type
  ) -> Bool {
    let word = unsafe letters.loadUnaligned(fromByteOffset: offset, as: Word.self)
    // For each byte that is a lower-case letter, the bit that makes a capital lower-case: from `a` on the
    // first sum has the highest bit, from behind `z` on the second.
    let ones = Word.max / 0xFF
    let tops = ones &* 0x80
    let folds = ((word &+ ones &* 0x1F) & ~(word &+ ones &* 0x05) & tops) &>> 2
    return unsafe start.loadUnaligned(fromByteOffset: offset, as: Word.self) | folds == word
  }
}
