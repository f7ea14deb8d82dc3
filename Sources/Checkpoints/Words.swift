/// Writes a part of a checkpoint: numbers of 64 bits, one after the other.
struct WordWriter {
  private(set) var words: [UInt64] = []

  /// Starts anew in the memory that it has.
  mutating func removeAll() { words.removeAll(keepingCapacity: true) }

  mutating func put(_ number: UInt64) { words.append(number) }

  mutating func put(_ number: Int64) { words.append(UInt64(bitPattern: number)) }

  /// Writes a text, its length first.
  mutating func put(_ text: String) {
    put(UInt64(text.utf8.count))
    var word: UInt64 = 0
    var shift: UInt64 = 0
    for byte in text.utf8 {
      word |= UInt64(byte) << shift
      shift += 8
      if shift == 64 {
        put(word)
        (word, shift) = (0, 0)
      }
    }
    if shift > 0 { put(word) }
  }
}

/// Reads a part of a checkpoint; if anything in it can't be read, the whole part is invalid.
struct WordReader {
  private let words: [UInt64]
  private var next = 0

  init(_ words: [UInt64]) { self.words = words }

  /// Whether all of them were read.
  var isAtEnd: Bool { next == words.count }

  mutating func number() -> UInt64? {
    guard next < words.count else { return nil }
    defer { next += 1 }
    return words[next]
  }

  mutating func signedNumber() -> Int64? { number().map { Int64(bitPattern: $0) } }

  /// Reads how many items follow; nil if there is no room for so many items of `wordCount` words each.
  mutating func count(ofWords wordCount: Int) -> Int? {
    guard let count = number(), count <= UInt64((words.count - next) / wordCount) else { return nil }
    return Int(count)
  }

  mutating func text() -> String? {
    guard let byteCount = number(), byteCount <= UInt64(words.count - next) * 8 else { return nil }
    var bytes: [UInt8] = []
    for index in 0..<Int(byteCount) {
      bytes.append(UInt8(truncatingIfNeeded: words[next + index / 8] >> (UInt64(index % 8) * 8)))
    }
    next += (Int(byteCount) + 7) / 8
    return String(validating: bytes, as: UTF8.self)
  }
}
