/// A length of time as it is written in an option: `15m`, `1.5h`, `250ms`, `5`.
///
/// The units are `ms`, `s`, `m`, `h`, `d` and `w`; a plain number means seconds.
public struct TimeSpan: Sendable, Equatable {
  /// The length in nanoseconds, never negative.
  public let nanoseconds: Int64

  /// The length in seconds.
  public var seconds: Double { Double(nanoseconds) / 1e9 }

  /// The length in whole seconds, what is left over cut off.
  public var wholeSeconds: Int { Int(nanoseconds / 1_000_000_000) }

  /// Understands a decimal number with an optional unit.
  /// - Throws: `OptionValueError` when it is something else or longer than 292 years.
  public init(_ text: String) throws(OptionValueError) {
    let isDigit = { (character: Character) in character.isASCII && character.isNumber }
    let whole = text.prefix(while: isDigit)
    var rest = text.dropFirst(whole.count)
    var fraction = rest.prefix(0)
    if rest.first == "." {
      fraction = rest.dropFirst().prefix(while: isDigit)
      rest = rest.dropFirst(fraction.count + 1)
    }
    guard !(whole.isEmpty && fraction.isEmpty),
      let unit = Self.nanoseconds(ofUnit: rest.lowercased())
    else {
      throw OptionValueError(
        value: text,
        problem: "is not a time: expected a number, then ms, s, m, h, d or w (like 15m)")
    }
    // Digits behind the ninth are below a nanosecond of every unit that matters.
    let billionths = Int64(String(fraction.prefix(9)).padded(toCount: 9)) ?? 0
    let (small, smallOverflows) = billionths.multipliedReportingOverflow(by: unit / 1_000_000)
    guard let number = whole.isEmpty ? 0 : Int64(whole) else {
      throw OptionValueError(value: text, problem: "is too long a time")
    }
    let (large, largeOverflows) = number.multipliedReportingOverflow(by: unit)
    let (sum, sumOverflows) = large.addingReportingOverflow(small / 1000)
    guard !smallOverflows, !largeOverflows, !sumOverflows else {
      throw OptionValueError(value: text, problem: "is too long a time")
    }
    nanoseconds = sum
  }

  private static func nanoseconds(ofUnit unit: String) -> Int64? {
    let second: Int64 = 1_000_000_000
    return switch unit {
    case "ms": second / 1000
    case "", "s": second
    case "m": 60 * second
    case "h": 3600 * second
    case "d": 86_400 * second
    case "w": 604_800 * second
    default: nil
    }
  }
}

extension String {
  fileprivate func padded(toCount count: Int) -> String {
    self + String(repeating: "0", count: max(0, count - self.count))
  }
}
