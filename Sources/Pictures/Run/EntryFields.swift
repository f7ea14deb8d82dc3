import Glibc

/// The fields of an entry whose format Spillway itself has chosen, taken from the entry's end.
///
/// Tabs separate the fields, and rendering escapes tabs in values; so the last fields can be taken off a key
/// that has any content, including tabs between its parts.
///
/// Sound because the remaining bytes are only ever shortened, within the entry that they come from.
@safe struct EntryFields {
  private var rest: UnsafeRawBufferPointer

  /// The fields of a line, without the byte that ends it.
  init(_ line: UnsafeRawBufferPointer) {
    unsafe rest = line.last == UInt8(ascii: "\n") ? UnsafeRawBufferPointer(rebasing: line.dropLast()) : line
  }

  /// The bytes in front of the fields that were taken.
  var key: UnsafeRawBufferPointer { unsafe rest }

  /// Takes the last field; if there is no tab, all remaining bytes.
  mutating func takeLast() -> UnsafeRawBufferPointer {
    // The fields are short, so that a loop takes less time than a call.
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
