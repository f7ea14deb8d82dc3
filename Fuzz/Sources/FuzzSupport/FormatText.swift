/// Properties of a format's text, found without parsing it as the program does.
package struct FormatText {
  private let bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Whether all of it is printable ASCII.
  package var isPrintable: Bool { bytes.allSatisfy { (0x20...0x7E).contains($0) } }

  /// Whether the format itself may lead to a line end, a TAB or another control character.
  package var makesControls: Bool {
    if bytes.contains(where: { $0 < 0x20 }) { return true }
    for (index, byte) in bytes.enumerated() {
      let rest = bytes[(index + 1)...]
      switch byte {
      case UInt8(ascii: "\\") where rest.first == UInt8(ascii: "n") || rest.first == UInt8(ascii: "t"):
        return true
      case UInt8(ascii: "%"):
        // A directive of strftime, with everything that C libraries allow in front of its letter; a specifier
        // that isn't meant for strftime counts as well.
        let letter = rest.first { !"_-^#0123456789EO+:".utf8.contains($0) }
        if letter == UInt8(ascii: "n") || (letter == UInt8(ascii: "t") && hasTime) { return true }
      default: continue
      }
    }
    return false
  }

  /// Whether there is a `%{…}t`, or a field that does the same.
  private var hasTime: Bool { contains("}t") || contains("utc:") }

  /// Whether some bytes occur anywhere in the text.
  package func contains(_ part: StaticString) -> Bool {
    part.withUTF8Buffer { part in
      bytes.indices.contains { bytes[$0...].starts(with: part) }
    }
  }

  /// Whether each value outside of strings is a JSON value by itself, separated by the characters beside it.
  package var keepsJSONValuesApart: Bool {
    guard !contains("\\") else { return false }
    var inString = false
    var index = 0
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\""): inString.toggle()
      case UInt8(ascii: "%"):
        let before = index > 0 ? bytes[index - 1] : UInt8(ascii: ",")
        guard let end = endOfSpecifier(at: index) else { return false }
        let after = end < bytes.count ? bytes[end] : UInt8(ascii: ",")
        guard inString || (":[,".utf8.contains(before) && "]},".utf8.contains(after)) else { return false }
        index = end
        continue
      default: break
      }
      index += 1
    }
    return true
  }

  private func endOfSpecifier(at index: Int) -> Int? {
    guard index + 1 < bytes.count else { return nil }
    guard bytes[index + 1] == UInt8(ascii: "{") else { return index + 2 }
    let argument = bytes[(index + 2)...].prefix { $0 != UInt8(ascii: "}") }
    // It depends on the release whether braces nest.
    guard !argument.contains(UInt8(ascii: "{")), argument.endIndex + 1 < bytes.count else { return nil }
    return argument.endIndex + 2
  }
}
