import Glibc
import VarnishLog

/// Writes values with one way of escaping.
///
/// Most values need no escaping; they are examined and copied sixteen bytes at a time. The caller owns the
/// memory and calls `deallocate`.
@safe struct Escaper {
  // Invariant: `special` has an element for every number that a byte can hold.

  let escaping: Escaping
  /// Whether `LineWriter.putPlain` stops at every special byte, perhaps at others, too; then a value is
  /// copied by it up to there, and `putSpecials` writes the rest.
  let stopsWithPlain: Bool
  /// For each byte whether it can't be copied; owned, see `deallocate`.
  private let special: UnsafeMutablePointer<Bool>
  /// Whether a value must be looked at as a whole.
  private let quotes: Bool

  init(_ escaping: Escaping) {
    self.escaping = escaping
    unsafe special = .allocate(capacity: 256)
    for (byte, isSpecial) in escaping.specialBytes.enumerated() {
      unsafe (special + byte).initialize(to: isSpecial)
    }
    quotes = escaping.quotesWhenNeeded
    switch escaping {
    case .ncsa, .jsonBytes, .json, .columns(.quoted): stopsWithPlain = true
    default: stopsWithPlain = false
    }
  }

  func deallocate() { unsafe special.deallocate() }

  /// Writes a value, escaped.
  @inline(__always)
  func put(_ value: LogBytes, to line: inout LineWriter) {
    if stopsWithPlain {
      let plain = line.putPlain(value)
      if plain < value.count { putSpecials(value.dropFirst(plain), to: &line) }
    } else {
      putByBytes(value, to: &line)
    }
  }

  @inline(never)
  private func putByBytes(_ value: LogBytes, to line: inout LineWriter) {
    let isQuoted = quotes && needsQuotes(value)
    if isQuoted { line.put(UInt8(ascii: "\"")) }
    putSpecials(value, to: &line)
    if isQuoted { line.put(UInt8(ascii: "\"")) }
  }

  /// Writes a value that may contain special bytes.
  @inline(never)
  func putSpecials(_ value: LogBytes, to line: inout LineWriter) {
    var rest = value
    while rest.count > 0 {
      let byte = rest[0]
      if unsafe special[Int(byte)] {
        rest = rest.dropFirst(putSpecial(rest, to: &line))
      } else {
        line.put(byte)
        rest = rest.dropFirst(1)
      }
      rest = unsafe rest.dropFirst(stopsWithPlain ? line.putPlain(rest) : line.put(rest, while: special))
    }
  }

  /// Writes the escape of a byte that can't be copied.
  ///
  /// - Returns: how many bytes of the value were escaped.
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
    case .columns: line.put(capitalHexOf: byte, after: "\\x")
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

  /// Writes a character of several bytes, or U+FFFD for bytes that aren't UTF-8.
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

  /// Some sequences of the right shape are not UTF-8: overlong ones, surrogates, and those beyond the last
  /// character.
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
    for index in 0..<value.count {
      switch unsafe value.start.load(fromByteOffset: index, as: UInt8.self) {
      case 0..<0x20, 0x22, 0x7F: return true
      case 0x2C: if escaping == .csv { return true }
      case 0x20, 0x3D, 0x5C: if escaping == .logfmt { return true }
      default: continue
      }
    }
    return false
  }
}
