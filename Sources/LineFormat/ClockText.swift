import Glibc

/// The text of one time specifier for the second it was last asked for.
///
/// Thousands of lines share a second; breaking it down and formatting it is done once.
struct ClockText {
  private let format: [CChar]
  private let isUTC: Bool
  private var second = Int64.min
  private var text: [UInt8] = []

  /// The longest text, as the tools that came before had room for.
  private static let byteCountMax = 63

  init(format: [UInt8], isUTC: Bool) {
    self.format = format.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
    self.isUTC = isUTC
  }

  /// The text for a time in seconds since 1970; empty if it would be too long.
  mutating func put(_ second: Int64, to line: inout LineWriter) {
    if second != self.second {
      text = render(second)
      self.second = second
    }
    text.withUnsafeBytes { line.put($0) }
  }

  private func render(_ second: Int64) -> [UInt8] {
    var time = time_t(second)
    var parts = tm()
    guard (isUTC ? gmtime_r(&time, &parts) : localtime_r(&time, &parts)) != nil else { return [] }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Self.byteCountMax + 1) { buffer in
      guard let start = buffer.baseAddress else { return [] }
      let count = strftime(start, buffer.count, format, &parts)
      return buffer[..<count].map { UInt8(bitPattern: $0) }
    }
  }
}
