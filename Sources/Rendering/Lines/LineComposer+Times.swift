/// Writes times as numbers: computed in IEEE doubles and truncated, as the earlier tools do.
///
/// All methods are `mutating` although they change nothing: a method that only borrows `self` is passed a
/// copy of all of it.
extension LineComposer {
  mutating func put(_ number: FormatItem.TimeNumber, to line: inout LineWriter) {
    let fraction = startSeconds - startSeconds.rounded(.towardZero)
    switch number {
    case .seconds: line.put(Int64(startSeconds))
    case .milliseconds: line.put(Int64(startSeconds * 1e3))
    case .microseconds: line.put(Int64(startSeconds * 1e6))
    case .millisecondsFraction: putFraction(fraction * 1e3, digits: 3, to: &line)
    case .microsecondsFraction: putFraction(fraction * 1e6, digits: 6, to: &line)
    case .nanoseconds:
      let number = Self.microseconds(startSeconds)
      line.put(number)
      if number != 0 { line.put("000") }
    case .timestamp: break
    }
  }

  mutating func putTimestamp(to line: inout LineWriter) {
    let total = Self.microseconds(startSeconds)
    let second = (Double(total) / 1e6).rounded(.down)
    unsafe clocks[timestampClock].put(Int64(second), to: &line)
    line.put(".")
    line.put(decimal: (total - Int64(second) * 1_000_000).magnitude, minimumDigits: 6)
    line.put("Z")
  }

  private mutating func putFraction(_ value: Double, digits: Int, to line: inout LineWriter) {
    let number = Int64(value)
    if number < 0 { line.put("-") }
    line.put(decimal: number.magnitude, minimumDigits: digits)
  }

  /// The nearest microsecond: the log has six digits, and the double may be slightly less.
  private static func microseconds(_ seconds: Double) -> Int64 { Int64((seconds * 1e6).rounded()) }

  mutating func put(_ unit: FormatItem.DurationUnit, to line: inout LineWriter) {
    let seconds = endSeconds - startSeconds
    switch unit {
    case .seconds: line.put(Int64(seconds))
    case .milliseconds: line.put(Int64(seconds * 1e3))
    case .microseconds: line.put(Int64(seconds * 1e6))
    case .nanoseconds:
      let number = Self.microseconds(seconds)
      line.put(number)
      if number != 0 { line.put("000") }
    case .decimalSeconds:
      let number = Self.microseconds(seconds)
      if number < 0 { line.put("-") }
      line.put(decimal: number.magnitude / 1_000_000, minimumDigits: 1)
      line.put(".")
      line.put(decimal: number.magnitude % 1_000_000, minimumDigits: 6)
    }
  }
}
