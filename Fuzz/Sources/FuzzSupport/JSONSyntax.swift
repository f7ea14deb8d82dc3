/// Checks that bytes are one JSON value and nothing else, as RFC 8259 defines it.
package struct JSONSyntax {
  private let bytes: UnsafeRawBufferPointer
  private var index = 0

  private static let depthMax = 32

  /// Whether the bytes are one value.
  package static func isValue(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var syntax = JSONSyntax(bytes: bytes)
    return syntax.takeValue(depth: 0) && syntax.peek == nil
  }

  private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    index += 1
    return true
  }

  private mutating func take(_ word: StaticString) -> Bool {
    word.withUTF8Buffer { $0.allSatisfy { take($0) } }
  }

  private mutating func takeValue(depth: Int) -> Bool {
    guard depth < Self.depthMax, let first = peek else { return false }
    switch first {
    case UInt8(ascii: "{"):
      return takeList(closedBy: UInt8(ascii: "}")) {
        $0.takeString() && $0.take(UInt8(ascii: ":")) && $0.takeValue(depth: depth + 1)
      }
    case UInt8(ascii: "["):
      return takeList(closedBy: UInt8(ascii: "]")) { $0.takeValue(depth: depth + 1) }
    case UInt8(ascii: "\""): return takeString()
    case UInt8(ascii: "n"): return take("null")
    case UInt8(ascii: "t"): return take("true")
    case UInt8(ascii: "f"): return take("false")
    default: return takeNumber()
    }
  }

  private mutating func takeList(
    closedBy end: UInt8, _ takeMember: (inout JSONSyntax) -> Bool
  ) -> Bool {
    index += 1
    if take(end) { return true }
    while takeMember(&self) {
      if take(end) { return true }
      guard take(UInt8(ascii: ",")) else { return false }
    }
    return false
  }

  private mutating func takeString() -> Bool {
    guard take(UInt8(ascii: "\"")) else { return false }
    while let byte = peek, byte >= 0x20 {
      index += 1
      if byte == UInt8(ascii: "\"") { return true }
      if byte == UInt8(ascii: "\\"), !takeEscape() { return false }
    }
    return false
  }

  private mutating func takeEscape() -> Bool {
    guard let letter = peek else { return false }
    index += 1
    guard letter == UInt8(ascii: "u") else { return "\"\\/bfnrt".utf8.contains(letter) }
    for _ in 0..<4 {
      guard let digit = peek, Character(UnicodeScalar(digit)).isHexDigit else { return false }
      index += 1
    }
    return true
  }

  private mutating func takeNumber() -> Bool {
    _ = take(UInt8(ascii: "-"))
    let isZero = peek == UInt8(ascii: "0")
    guard let whole = takeDigits(), whole == 1 || !isZero else { return false }
    if take(UInt8(ascii: ".")), takeDigits() == nil { return false }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      return takeDigits() != nil
    }
    return true
  }

  /// Skips digits; returns their number, nil if there are none.
  private mutating func takeDigits() -> Int? {
    let from = index
    while let byte = peek, (0x30...0x39).contains(byte) { index += 1 }
    return index > from ? index - from : nil
  }
}
