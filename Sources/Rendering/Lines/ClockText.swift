import Glibc

/// The text of one time specifier for the last seconds that it was needed for.
///
/// Thousands of lines share a second; its text is made once. If very many requests are open, a request that
/// ends has often begun in a different second than the one before.
struct ClockText {
  private let format: [CChar]
  private let isUTC: Bool
  private var second = Int64.min
  /// The text, with the padding of constant text behind it.
  private var text: [UInt8] = Array(repeating: 0, count: PooledText.padding)
  /// The texts of earlier seconds, each at the index of the second's lowest bits.
  private var others: [(second: Int64, text: [UInt8])] = []

  /// How many texts are kept, a power of two; and how long each may be, so that all of them stay small.
  private static var othersCount: Int { 128 }
  private static var otherByteCountMax: Int { 256 }

  /// The largest size of a text; a format may ask for any width.
  static let byteCountMax = 1 << 20

  init(format: [UInt8], isUTC: Bool) {
    // The byte at the end distinguishes an empty text from one that found no room.
    self.format = format.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [CChar(UInt8(ascii: "."))] + [0]
    self.isUTC = isUTC
  }

  /// Whether a format gives a text of at most `byteCountMax` bytes, judged by the text for 1970.
  static func hasRoom(for format: [UInt8]) -> Bool {
    ClockText(format: format, isUTC: true).render(0) != nil
  }

  /// Writes the text for a time in seconds since 1970.
  mutating func put(_ second: Int64, to line: inout LineWriter) {
    if second != self.second { turn(to: second) }
    unsafe text.withUnsafeBytes {
      guard let start = $0.baseAddress else { return }
      line.put(unsafe PooledText(start: start, count: $0.count - PooledText.padding))
    }
  }

  /// Changes the text to that of another second.
  @inline(never)
  private mutating func turn(to second: Int64) {
    if others.isEmpty { others = Array(repeating: (.min, []), count: Self.othersCount) }
    let place = Int(truncatingIfNeeded: second) & (Self.othersCount - 1)
    self.second = second
    if others[place].second == second, !others[place].text.isEmpty {
      text = others[place].text
      return
    }
    text = (render(second) ?? []) + Array(repeating: 0, count: PooledText.padding)
    if text.count <= Self.otherByteCountMax { others[place] = (second, text) }
  }

  /// The text of a second; nil if it would be longer than `byteCountMax` bytes.
  private func render(_ second: Int64) -> [UInt8]? {
    var time = time_t(second)
    var parts = unsafe tm()
    guard unsafe (isUTC ? gmtime_r(&time, &parts) : localtime_r(&time, &parts)) != nil else { return nil }
    var capacity = max(128, 2 * format.count)
    while capacity <= 4 * Self.byteCountMax {
      var text = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
        count = unsafe buffer.withMemoryRebound(to: CChar.self) { buffer in
          unsafe buffer.baseAddress.map { unsafe strftime($0, buffer.count, format, &parts) } ?? 0
        }
      }
      if text.popLast() != nil { return text.count <= Self.byteCountMax ? text : nil }
      capacity *= 2
    }
    return nil
  }
}
