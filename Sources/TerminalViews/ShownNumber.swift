/// Formats numbers with a unit and few digits, so that they can be read at a glance.
package enum ShownNumber {
  /// A rate, with a digit after the point if it is below 100.
  package static func rate(_ number: Double) -> String {
    number < 100 ? decimal(number, digits: 1) : "\(Int(number))"
  }

  /// A number that isn't negative, with one or two digits after the point.
  package static func decimal(_ number: Double, digits: Int) -> String {
    let scale = digits == 1 ? 10 : 100
    let scaled = Int((max(0, number) * Double(scale)).rounded())
    let fraction = String(scaled % scale)
    return "\(scaled / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
  }

  /// Bytes in the unit that leaves at most four digits.
  package static func size(_ bytes: Int) -> String {
    var (number, unit) = (Double(bytes), "B")
    for larger in ["KiB", "MiB", "GiB"] where number >= 1000 { (number, unit) = (number / 1024, larger) }
    return unit == "B" ? "\(bytes) B" : "\(decimal(number, digits: 1)) \(unit)"
  }

  /// A time as `3+04:05:06`, days in front.
  package static func duration(_ seconds: UInt64) -> String {
    func two(_ number: UInt64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(seconds / 86400)+\(two(seconds / 3600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
  }

  /// A time in no more than nine columns: as `04:05:06`, or from a day on without the seconds.
  package static func shortDuration(_ seconds: UInt64) -> String {
    let text = duration(seconds)
    return String(seconds < 86400 ? text.dropFirst(2) : text.dropLast(3))
  }

  /// A number in at most nine columns: all of its digits if they fit, otherwise in thousands or, for bytes,
  /// in units of 1,024.
  ///
  /// - Parameter digits: the largest number of digits after the point.
  package static func compact(_ number: Double, digits: Int, isBytes: Bool = false, isScaled: Bool = true)
    -> String
  {
    guard number.isFinite else { return "-" }
    let sign = number < 0 ? "-" : ""
    var magnitude = abs(number)
    if magnitude < (isScaled ? 100_000 : 99_999_999) {
      if digits == 0 || magnitude >= 10_000 { return sign + "\(Int(magnitude.rounded()))" }
      return sign + decimal(magnitude, digits: digits)
    }
    let step = isBytes ? 1024.0 : 1000.0
    var unit = ""
    for larger in ["k", "M", "G", "T", "P", "E"] where magnitude >= 10_000 || unit.isEmpty {
      magnitude /= step
      unit = isBytes ? larger.uppercased() + "i" : larger
    }
    return magnitude < 1e9 ? sign + decimal(magnitude, digits: 1) + unit : "-"
  }
}
