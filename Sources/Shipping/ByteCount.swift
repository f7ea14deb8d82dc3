/// A number of bytes as it is written in an option: `1M`, `512KiB`, `4096`.
///
/// The units are powers of 1024, `K`, `M`, `G` and `T`, in either case, alone or followed by `iB`.
public struct ByteCount: Sendable, Equatable {
  /// The number of bytes, never negative.
  public let bytes: Int

  /// Understands a number with an optional unit.
  /// - Throws: `OptionValueError` when it is something else or does not fit 63 bits.
  public init(_ text: String) throws(OptionValueError) {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = text.dropFirst(digits.count)
    guard !digits.isEmpty, let shift = Self.shift(ofUnit: unit.lowercased()) else {
      throw OptionValueError(
        value: text, problem: "is not a size: expected a number, then K, M, G or T (like 64M)")
    }
    guard let number = Int(digits), number <= Int.max >> shift else {
      throw OptionValueError(value: text, problem: "is too large a size")
    }
    bytes = number << shift
  }

  private static func shift(ofUnit unit: String) -> Int? {
    switch unit {
    case "", "b": 0
    case "k", "kib": 10
    case "m", "mib": 20
    case "g", "gib": 30
    case "t", "tib": 40
    default: nil
    }
  }
}
