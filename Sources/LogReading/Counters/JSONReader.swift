/// Reads untrusted JSON from front to back, for a caller that knows what to expect: an object's members are
/// handed on in their order, and unexpected ones are skipped.
///
/// It is here because of that order: a server's counters are shown in it.
struct JSONReader {
  /// The text isn't JSON, or not what was expected.
  struct Mistake: Error, Equatable {
    /// Where, in bytes.
    let offset: Int
  }

  private let bytes: [UInt8]
  private var at = 0
  private var depth = 0

  /// The deepest nesting that is read: deeper than any description, and far less than a stack holds.
  private static let depthMax = 16

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Reads an object.
  ///
  /// - Parameter member: is given each key, and has to read or skip the value.
  mutating func readObject(
    _ member: (String, inout JSONReader) throws(Mistake) -> Void
  ) throws(Mistake) {
    try enter("{")
    if try leave("}") { return }
    repeat {
      let key = try readText()
      try expect(":")
      try member(key, &self)
    } while accept(",")
    try expect("}")
    depth -= 1
  }

  /// Reads a string; what isn't UTF-8 in it is replaced.
  mutating func readText() throws(Mistake) -> String {
    try expect("\"")
    let start = at
    while at < bytes.count, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\") { at += 1 }
    var text = Array(bytes[start..<at])
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text += try readEscape()
      default: text.append(byte)
      }
    }
    throw Mistake(offset: at)
  }

  /// Reads a number that has no fraction and no exponent; nil for any other number.
  mutating func readWhole() throws(Mistake) -> Int? {
    skipBlanks()
    let start = at
    while at < bytes.count, Self.isPartOfNumber(bytes[at]) { at += 1 }
    if start == at { throw Mistake(offset: at) }
    return Int(String(decoding: bytes[start..<at], as: UTF8.self))
  }

  /// Goes past a value of any kind.
  mutating func skipValue() throws(Mistake) {
    skipBlanks()
    guard at < bytes.count else { throw Mistake(offset: at) }
    switch bytes[at] {
    case UInt8(ascii: "\""): _ = try readText()
    case UInt8(ascii: "{"): try readObject { (_, reader) throws(Mistake) in try reader.skipValue() }
    case UInt8(ascii: "["): try skipArray()
    case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"): try skipWord()
    default: _ = try readWhole()
    }
  }

  // MARK: Parts

  private mutating func skipArray() throws(Mistake) {
    try enter("[")
    if try leave("]") { return }
    repeat { try skipValue() } while accept(",")
    try expect("]")
    depth -= 1
  }

  private mutating func skipWord() throws(Mistake) {
    for word in ["true", "false", "null"] where bytes[at...].starts(with: word.utf8) {
      at += word.utf8.count
      return
    }
    throw Mistake(offset: at)
  }

  private mutating func enter(_ bracket: Unicode.Scalar) throws(Mistake) {
    try expect(bracket)
    depth += 1
    if depth > Self.depthMax { throw Mistake(offset: at) }
  }

  /// Leaves the object or array that was just entered if it is empty; false if it isn't.
  private mutating func leave(_ bracket: Unicode.Scalar) throws(Mistake) -> Bool {
    guard accept(bracket) else { return false }
    depth -= 1
    return true
  }

  private mutating func readEscape() throws(Mistake) -> [UInt8] {
    guard at < bytes.count else { throw Mistake(offset: at) }
    let letter = bytes[at]
    at += 1
    switch letter {
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [letter]
    case UInt8(ascii: "u"): return Array(String(try readScalar()).utf8)
    default: throw Mistake(offset: at - 1)
    }
  }

  /// Reads what stands behind `\u`, and the other half of a pair; half a pair alone is replaced.
  private mutating func readScalar() throws(Mistake) -> Unicode.Scalar {
    let first = try readUnit()
    guard UTF16.isLeadSurrogate(first), bytes[at...].starts(with: "\\u".utf8) else {
      return Unicode.Scalar(first) ?? "\u{FFFD}"
    }
    let place = at
    at += 2
    let second = try readUnit()
    guard UTF16.isTrailSurrogate(second) else {
      at = place
      return "\u{FFFD}"
    }
    let value = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
    return Unicode.Scalar(value) ?? "\u{FFFD}"
  }

  private mutating func readUnit() throws(Mistake) -> UInt16 {
    guard bytes.count - at >= 4 else { throw Mistake(offset: at) }
    let digits = bytes[at..<at + 4]
    let isHexadecimal = digits.allSatisfy { UnicodeScalar($0).properties.isASCIIHexDigit }
    guard isHexadecimal, let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16) else {
      throw Mistake(offset: at)
    }
    at += 4
    return unit
  }

  private static func isPartOfNumber(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
      UInt8(ascii: "e"), UInt8(ascii: "E"):
      true
    default: false
    }
  }

  private mutating func skipBlanks() {
    while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
  }

  private mutating func accept(_ wanted: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard at < bytes.count, bytes[at] == UInt8(ascii: wanted) else { return false }
    at += 1
    return true
  }

  private mutating func expect(_ wanted: Unicode.Scalar) throws(Mistake) {
    guard accept(wanted) else { throw Mistake(offset: at) }
  }
}
