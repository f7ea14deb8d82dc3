/// A key that was pressed.
package enum Key: Equatable, Sendable {
  case character(Unicode.Scalar)
  /// A letter together with the control key.
  case control(Unicode.Scalar)
  case enter, escape, backspace
  case up, down, left, right, pageUp, pageDown, home, end
}

/// Decodes the bytes that a terminal sends for keys.
package struct KeyDecoder {
  /// Bytes that may be the beginning of a longer sequence.
  private var rest: [UInt8] = []

  package init() {}

  /// Whether bytes wait that may be a key, or the beginning of a longer sequence.
  package var isUndecided: Bool { !rest.isEmpty }

  /// Takes bytes as they come in.
  package mutating func decode(_ bytes: some Sequence<UInt8>) -> [Key] {
    rest += bytes
    var keys: [Key] = []
    while let (key, count) = next() {
      rest.removeFirst(count)
      if let key { keys.append(key) }
    }
    return keys
  }

  /// Decodes the waiting bytes as they are, if no more bytes have followed: an escape character is a key then.
  package mutating func finish() -> [Key] {
    defer { rest = [] }
    return rest.first == 0x1B ? [.escape] : []
  }

  /// The first key, or nil for an unknown key, and its length; nil if the bytes are incomplete.
  private func next() -> (Key?, Int)? {
    guard let first = rest.first else { return nil }
    switch first {
    case 0x1B: return sequence()
    case 0x0D, 0x0A: return (.enter, 1)
    case 0x7F, 0x08: return (.backspace, 1)
    case 1..<0x1B: return (.control(Unicode.Scalar(first + 0x60)), 1)
    case 0x20..<0x7F: return (.character(Unicode.Scalar(first)), 1)
    default: return character(first)
    }
  }

  private func character(_ first: UInt8) -> (Key?, Int)? {
    let count = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 1
    if rest.count < count { return nil }
    let text = String(decoding: rest.prefix(count), as: UTF8.self).unicodeScalars
    guard count > 1, text.count == 1, let scalar = text.first, scalar != "\u{FFFD}" else { return (nil, 1) }
    return (.character(scalar), count)
  }

  /// The key that begins with an escape character: that key itself, or a sequence for a key without a
  /// character.
  private func sequence() -> (Key?, Int)? {
    guard rest.count > 1 else { return nil }
    guard rest[1] == UInt8(ascii: "[") || rest[1] == UInt8(ascii: "O") else { return (.escape, 1) }
    // Parameters, and the letter that ends them.
    guard let end = rest.dropFirst(2).firstIndex(where: { (0x40...0x7E).contains($0) }) else {
      return rest.count > 16 ? (nil, rest.count) : nil
    }
    let parameter = String(decoding: rest[2..<end].prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self)
    let key: Key? =
      switch (rest[end], parameter) {
      case (UInt8(ascii: "A"), _): .up
      case (UInt8(ascii: "B"), _): .down
      case (UInt8(ascii: "C"), _): .right
      case (UInt8(ascii: "D"), _): .left
      case (UInt8(ascii: "H"), _), (UInt8(ascii: "~"), "1"), (UInt8(ascii: "~"), "7"): .home
      case (UInt8(ascii: "F"), _), (UInt8(ascii: "~"), "4"), (UInt8(ascii: "~"), "8"): .end
      case (UInt8(ascii: "~"), "5"): .pageUp
      case (UInt8(ascii: "~"), "6"): .pageDown
      default: nil
      }
    return (key, end + 1)
  }
}
