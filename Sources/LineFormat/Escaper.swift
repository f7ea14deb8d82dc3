import Glibc
import ShmLog

/// Writes values with one way of escaping.
///
/// Most values hold nothing that needs it; they are scanned eight bytes at a time and copied whole.
struct Escaper: Sendable {
  let escaping: Escaping
  private let special: [Bool]
  /// Whether the scan by words finds all that is special.
  private let passesWords: Bool
  /// Whether a value must be looked at as a whole.
  private let quotes: Bool

  init(_ escaping: Escaping) {
    self.escaping = escaping
    special = escaping.specialBytes
    quotes = escaping.quotesWhenNeeded
    switch escaping {
    case .ncsa, .jsonBytes, .json: passesWords = true
    default: passesWords = false
    }
  }

  /// Writes a value so that it does no harm.
  @inline(__always)
  func put(_ value: LogBytes, to line: inout LineWriter) {
    if !quotes, cleanPrefix(of: value) == value.count {
      line.put(value)
    } else {
      putWithCare(value, to: &line)
    }
  }

  private func putWithCare(_ value: LogBytes, to line: inout LineWriter) {
    if quotes, needsQuotes(value) {
      line.put(UInt8(ascii: "\""))
      putSpecials(value, to: &line)
      line.put(UInt8(ascii: "\""))
    } else {
      putSpecials(value, to: &line)
    }
  }

  private func putSpecials(_ value: LogBytes, to line: inout LineWriter) {
    var rest = value
    while rest.count > 0 {
      let clean = cleanPrefix(of: rest)
      line.put(rest.prefix(clean))
      rest = rest.dropFirst(clean)
      guard rest.count > 0 else { return }
      rest = rest.dropFirst(putSpecial(rest, to: &line))
    }
  }

  /// How many bytes at the beginning can be copied as they are.
  private func cleanPrefix(of value: LogBytes) -> Int {
    var index = 0
    if passesWords, value.count >= 8 {
      while index &+ 8 <= value.count, Self.isClean(value, at: index) { index &+= 8 }
      // What is left at the end is looked at together with bytes that are known to be clean.
      if index &+ 8 > value.count, Self.isClean(value, at: value.count &- 8) { return value.count }
    }
    while index < value.count, !special[Int(value[index])] { index += 1 }
    return index
  }

  /// Whether eight bytes, which the caller has checked to be there, hold no control character, `"`, `\`, rubout
  /// or byte above; those from 0x7f on are not special everywhere, but rare.
  @inline(__always)
  private static func isClean(_ value: LogBytes, at index: Int) -> Bool {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    let word = value.start.loadUnaligned(fromByteOffset: index, as: UInt64.self)
    let quote = word ^ (ones &* 0x22)
    let backslash = word ^ (ones &* 0x5C)
    let rubout = word ^ (ones &* 0x7F)
    let hits =
      (word &- ones &* 0x20) | (quote &- ones) | (backslash &- ones) | (rubout &- ones) | word
    return hits & highs == 0
  }

  /// Writes what a byte that can't be copied becomes.
  ///
  /// - Returns: how many bytes of the value that was.
  private func putSpecial(_ value: LogBytes, to line: inout LineWriter) -> Int {
    let byte = value[0]
    switch escaping {
    case .none: line.put(byte)
    case .ncsa(let verticalTab, let formFeed):
      if let letter = Self.letter(byte, verticalTab: verticalTab, formFeed: formFeed) {
        line.put(UInt8(ascii: "\\"))
        line.put(letter)
      } else {
        line.put(hexOf: byte, after: "\\x")
      }
    case .jsonBytes(let verticalTab):
      if let letter = Self.letter(byte, verticalTab: verticalTab, formFeed: false) {
        line.put(UInt8(ascii: "\\"))
        line.put(letter)
      } else {
        line.put(hexOf: byte, after: "\\u00")
      }
    case .json, .logfmt:
      if byte >= 0x80 { return putScalar(value, to: &line) }
      if let letter = Self.letter(byte, verticalTab: false, formFeed: false) {
        line.put(UInt8(ascii: "\\"))
        line.put(letter)
      } else {
        line.put(hexOf: byte, after: "\\u00")
      }
    case .tsv:
      switch byte {
      case 0x09: line.put("\\t")
      case 0x0A: line.put("\\n")
      case 0x0D: line.put("\\r")
      case 0x5C: line.put("\\\\")
      default: line.put(hexOf: byte, after: "\\x")
      }
    case .csv: line.put(byte == 0x22 ? "\"\"" : byte == 0x0A ? "\\n" : "\\r")
    case .w3c:
      if byte == 0x20 {
        line.put(UInt8(ascii: "+"))
      } else {
        line.put(hexOf: byte, after: "%")
      }
    case .url: line.put(hexOf: byte, after: "%")
    }
    return 1
  }

  /// The letter that stands for a byte behind a backslash.
  private static func letter(_ byte: UInt8, verticalTab: Bool, formFeed: Bool) -> UInt8? {
    switch byte {
    case 0x22, 0x5C: byte
    case 0x0A: UInt8(ascii: "n")
    case 0x0D: UInt8(ascii: "r")
    case 0x09: UInt8(ascii: "t")
    case 0x0B: verticalTab ? UInt8(ascii: "v") : nil
    case 0x0C: formFeed ? UInt8(ascii: "f") : nil
    default: nil
    }
  }

  /// Writes a character of more than one byte, or U+FFFD for what is none.
  private func putScalar(_ value: LogBytes, to line: inout LineWriter) -> Int {
    let first = value[0]
    let length =
      switch first {
      case 0xC2...0xDF: 2
      case 0xE0...0xEF: 3
      case 0xF0...0xF4: 4
      default: 0
      }
    let isWhole =
      length > 0 && length <= value.count
      && (1..<length).allSatisfy { value[$0] & 0xC0 == 0x80 }
    guard isWhole, Self.isScalar(first: first, second: value[1]) else {
      line.put("\u{FFFD}")
      return 1
    }
    line.put(value.prefix(length))
    return length
  }

  /// Of the sequences of the right shape some are not UTF-8: those longer than needed, surrogates, and what
  /// lies beyond the last character.
  private static func isScalar(first: UInt8, second: UInt8) -> Bool {
    switch first {
    case 0xE0: second >= 0xA0
    case 0xED: second < 0xA0
    case 0xF0: second >= 0x90
    case 0xF4: second < 0x90
    default: true
    }
  }

  private func needsQuotes(_ value: LogBytes) -> Bool {
    if value.count == 0 { return escaping == .logfmt }
    for byte in value.buffer {
      switch byte {
      case 0..<0x20, 0x22, 0x7F: return true
      case 0x2C: if escaping == .csv { return true }
      case 0x20, 0x3D, 0x5C: if escaping == .logfmt { return true }
      default: continue
      }
    }
    return false
  }
}
