import Glibc

/// The fields of an entry that this program has rendered for itself, taken off from its end.
///
/// Fields have a tab between them, which rendering escapes within a value; so the last ones can be told from a key that
/// holds anything, and tabs between its parts.
///
/// Sound because what is left is only ever shortened, within the entry that it was made of.
@safe struct EntryFields {
  private var rest: UnsafeRawBufferPointer

  /// The fields of a line, without the byte that ends it.
  init(_ line: UnsafeRawBufferPointer) {
    unsafe rest = line.last == UInt8(ascii: "\n") ? UnsafeRawBufferPointer(rebasing: line.dropLast()) : line
  }

  /// What is in front of the fields that were taken.
  var key: UnsafeRawBufferPointer { unsafe rest }

  /// Takes the last field; all that is left if there is no tab.
  mutating func takeLast() -> UnsafeRawBufferPointer {
    // These fields are short, so that a loop takes less than a call.
    var start = unsafe rest.count
    while start > 0, unsafe rest[start - 1] != UInt8(ascii: "\t") { start -= 1 }
    let field = unsafe UnsafeRawBufferPointer(rebasing: rest[start...])
    unsafe rest = UnsafeRawBufferPointer(rebasing: rest[..<max(0, start - 1)])
    return unsafe field
  }
}

extension UnsafeRawBufferPointer {
  /// Whether the bytes are a text.
  func equals(_ text: StaticString) -> Bool { unsafe count == text.utf8CodeUnitCount && begins(with: text) }

  /// Whether the bytes begin with a text.
  func begins(with text: StaticString) -> Bool {
    text.withUTF8Buffer { text in
      guard count >= text.count, let base = baseAddress, let other = text.baseAddress else {
        return text.isEmpty
      }
      return unsafe memcmp(base, other, text.count) == 0
    }
  }
}
