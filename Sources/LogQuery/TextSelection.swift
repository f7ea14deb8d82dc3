import VarnishLog

/// Finds the part of a record that is compared (`query-language.md` 5).
enum TextSelection {
  /// The text behind a prefix, its colon and white space; nil if the text doesn't begin with prefix and
  /// colon.
  @inline(__always)
  static func text(behind prefix: UnsafeRawBufferPointer, in text: LogBytes) -> LogBytes? {
    guard text.count > prefix.count, text[prefix.count] == UInt8(ascii: ":"),
      unsafe text.hasPrefix(lowercased: prefix)
    else { return nil }
    var from = prefix.count + 1
    while from < text.count, ASCII.isSpace(text[from]) { from += 1 }
    return text.dropFirst(from)
  }

  /// The field with a number, from 1, of a text whose fields are separated by white space; nil if there are
  /// fewer.
  ///
  /// - Parameter allowsQuotes: whether a field may stand in quotation marks, and have white space in it then.
  static func field(_ number: Int, of text: LogBytes, allowsQuotes: Bool) -> LogBytes? {
    var index = 0
    var remaining = number
    while true {
      while index < text.count, ASCII.isSpace(text[index]) { index += 1 }
      guard index < text.count else { return nil }
      var from = index
      let field: LogBytes
      let isQuoted = allowsQuotes && text[index] == UInt8(ascii: "\"")
      if isQuoted {
        from += 1
        guard let length = text.dropFirst(from).firstIndex(of: UInt8(ascii: "\"")) else { return nil }
        field = text.dropFirst(from).prefix(length)
        index = from + length + 1
      } else {
        while index < text.count, !ASCII.isSpace(text[index]) { index += 1 }
        field = text.dropFirst(from).prefix(index - from)
      }
      remaining -= 1
      if remaining == 0 { return field }
      // What touches a closing quotation mark is no field.
      if isQuoted, index < text.count, !ASCII.isSpace(text[index]) { return nil }
    }
  }
}
