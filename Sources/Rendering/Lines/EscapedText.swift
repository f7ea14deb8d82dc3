/// Text with backslashes in a template file.
enum EscapedText {
  /// Replaces escapes by the bytes that they stand for.
  ///
  /// - Parameters:
  ///   - text: the text as it is written.
  ///   - escapes: the byte for each letter behind a backslash.
  ///   - hex: whether `\xNN` is a byte.
  /// - Returns: the text; nil if it has any other escape.
  static func decode(
    _ text: ArraySlice<UInt8>, escapes: [Character: UInt8], hex: Bool = false
  ) -> [UInt8]? {
    var decoded: [UInt8] = []
    var rest = text
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\") else {
        decoded.append(byte)
        continue
      }
      guard let letter = rest.popFirst() else { return nil }
      if let value = escapes[Character(Unicode.Scalar(letter))] {
        decoded.append(value)
      } else if hex, letter == UInt8(ascii: "x"), let value = takeHex(&rest) {
        decoded.append(value)
      } else {
        return nil
      }
    }
    return decoded
  }

  private static func takeHex(_ rest: inout ArraySlice<UInt8>) -> UInt8? {
    let digits = rest.prefix(2)
    guard digits.count == 2, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else {
      return nil
    }
    rest = rest.dropFirst(2)
    return UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
  }
}
