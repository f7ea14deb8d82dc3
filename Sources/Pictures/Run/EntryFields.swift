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

/// Numbers as they stand in logs.
enum LoggedNumber {
  /// From here on there are no numbers: they are larger than anything that is measured, and ten times as much is still
  /// far from what any type can hold.
  private static let max: UInt64 = 100_000_000_000_000_000

  /// A whole number; nil for anything else, such as the dash for what isn't there.
  static func whole(_ text: UnsafeRawBufferPointer) -> UInt64? {
    guard unsafe !text.isEmpty else { return nil }
    var number: UInt64 = 0
    for index in 0..<text.count {
      let digit = unsafe text[index] &- UInt8(ascii: "0")
      guard digit < 10, number < max else { return nil }
      number = number * 10 + UInt64(digit)
    }
    return number
  }

  /// Seconds with or without a fraction, in microseconds; nil for anything else.
  static func microseconds(_ text: UnsafeRawBufferPointer) -> UInt64? {
    var number: UInt64 = 0
    var decimals = -1
    guard unsafe !text.isEmpty else { return nil }
    for index in 0..<text.count {
      let byte = unsafe text[index]
      if byte == UInt8(ascii: "."), decimals < 0 {
        decimals = 0
        continue
      }
      let digit = byte &- UInt8(ascii: "0")
      guard digit < 10, number < max else { return nil }
      if decimals == 6 { continue }
      number = number * 10 + UInt64(digit)
      if decimals >= 0 { decimals += 1 }
    }
    for _ in Swift.max(0, decimals)..<6 {
      guard number < max else { return nil }
      number *= 10
    }
    return number
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
