import TerminalViews

/// Formats numbers for views and reports, in few columns.
enum ShownFigure {
  /// A time given in microseconds, in a suitable unit.
  static func time(_ microseconds: Double?) -> String {
    guard let microseconds else { return "-" }
    if microseconds < 999.5 { return "\(Int(microseconds.rounded()))us" }
    if microseconds < 999_500 { return significant(microseconds / 1000) + "ms" }
    return significant(microseconds / 1_000_000) + "s"
  }

  /// A number given in millionths, as a time or as a plain number.
  static func measured(_ millionths: Double?, _ measure: Measure) -> String {
    guard let millionths else { return "-" }
    return measure.isTime ? time(millionths) : ShownNumber.compact(millionths / 1e6, digits: 1)
  }

  /// A number from 1 on with three digits, or with all digits in front of the point.
  private static func significant(_ number: Double) -> String {
    number < 9.995
      ? ShownNumber.decimal(number, digits: 2)
      : number < 99.95 ? ShownNumber.decimal(number, digits: 1) : "\(Int(number.rounded()))"
  }

  /// A part of a whole in percent.
  static func share(_ part: Double, of whole: Double) -> String {
    whole > 0 ? ShownNumber.decimal(100 * part / whole, digits: 1) + "%" : "-"
  }

  /// A text at the right of a column of some width, with at least one blank in front.
  static func right(_ text: String, _ width: Int) -> String {
    let text = text.count < width ? text : String(text.prefix(max(0, width - 2))) + "~"
    return String(repeating: " ", count: width - text.count) + text
  }
}
