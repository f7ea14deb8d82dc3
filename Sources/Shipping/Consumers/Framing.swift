/// How the receiver at the other end of a stream tells where one entry ends and the next begins.
public enum Framing: String, Sendable, CaseIterable {
  /// Each line ends with a newline.
  case newline
  /// The number of its bytes and a blank are in front of each entry, which then has no newline at its end
  /// (RFC 6587, 3.4.1).
  case octetCount = "octet-count"
  /// Each entry ends with a NUL instead of the newline.
  case null

  /// The form in which entries are sent.
  var form: EntryForm {
    switch self {
    case .newline: .line
    case .octetCount: .counted
    case .null: .nulTerminated
    }
  }
}

/// The form of an entry when it is sent; an entry is one line or several, with a newline at the end.
enum EntryForm {
  /// The entry as it is.
  case line
  /// Its length in front, no newline at its end.
  case counted
  /// A NUL instead of the newline at its end.
  case nulTerminated
  /// No newline at its end: a message of its own tells where it ends.
  case bare

  /// How many bytes are sent of an entry.
  func byteCount(ofEntry entry: UnsafeRawBufferPointer) -> Int {
    switch self {
    case .line: return entry.count
    case .nulTerminated: return unsafe Self.text(of: entry).count + 1
    case .bare: return unsafe Self.text(of: entry).count
    case .counted:
      let count = unsafe Self.text(of: entry).count
      // The grammar has no length of 0, and an empty line would carry nothing anyway.
      return count == 0 ? 0 : Self.digitCount(of: count) + 1 + count
    }
  }

  /// Writes an entry in this form to memory that has room for it.
  ///
  /// - Returns: how many bytes were written.
  func put(_ entry: UnsafeRawBufferPointer, to room: UnsafeMutableRawBufferPointer) -> Int {
    if case .line = self {
      unsafe room.copyMemory(from: entry)
      return entry.count
    }
    let text = unsafe Self.text(of: entry)
    var start = 0
    if case .counted = self, unsafe !text.isEmpty {
      start = Self.digitCount(of: text.count) + 1
      var rest = text.count
      for index in stride(from: start - 2, through: 0, by: -1) {
        unsafe room[index] = UInt8(ascii: "0") + UInt8(rest % 10)
        rest /= 10
      }
      unsafe room[start - 1] = UInt8(ascii: " ")
    }
    unsafe UnsafeMutableRawBufferPointer(rebasing: room[start...]).copyMemory(from: text)
    guard case .nulTerminated = self else { return start + text.count }
    unsafe room[start + text.count] = 0
    return start + text.count + 1
  }

  /// The entry, with its newline, that was sent as these bytes.
  func entry(in sent: UnsafeRawBufferPointer) -> [UInt8] {
    var text = unsafe sent[...]
    switch self {
    case .line: return unsafe Array(sent)
    case .counted: unsafe text = text.drop { $0 != UInt8(ascii: " ") }.dropFirst()
    case .nulTerminated: unsafe text = text.dropLast()
    case .bare: break
    }
    return unsafe Array(text) + [UInt8(ascii: "\n")]
  }

  /// The size, with its newline, of the entry that was sent as these bytes.
  func entryByteCount(in sent: UnsafeRawBufferPointer) -> Int {
    switch self {
    case .line, .nulTerminated: sent.count
    case .bare: sent.count + 1
    case .counted: unsafe sent.drop { $0 != UInt8(ascii: " ") }.dropFirst().count + 1
    }
  }

  /// The pieces to send for several lines, each of which is an entry of its own.
  func pieces(ofLines lines: [UInt8]) -> [[UInt8]] {
    guard self != .line else { return lines.isEmpty ? [] : [lines] }
    let pieces = lines.split(separator: UInt8(ascii: "\n")).map { line in
      unsafe line.withUnsafeBytes { line in
        unsafe [UInt8](unsafeUninitializedCapacity: byteCount(ofEntry: line)) { buffer, count in
          count = unsafe put(line, to: UnsafeMutableRawBufferPointer(buffer))
        }
      }
    }
    // Where nothing else separates the entries, each is a piece.
    return self == .bare || pieces.isEmpty ? pieces : [Array(pieces.joined())]
  }

  private static func text(of entry: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: entry.last == UInt8(ascii: "\n") ? entry.dropLast() : entry[...])
  }

  private static func digitCount(of number: Int) -> Int {
    var count = 1
    var rest = number / 10
    while rest > 0 {
      count += 1
      rest /= 10
    }
    return count
  }
}
