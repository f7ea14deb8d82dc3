import LogReading
import TerminalViews

/// The columns of the live view, as many as there is room for.
struct CounterColumns {
  private let width: Int
  private let nameWidth: Int
  private let numberWidth: Int
  private let shown: [Column]
  private let isScaled: Bool

  private enum Column {
    case value, change, span(Int), average

    var title: String {
      switch self {
      case .value: "VALUE"
      case .change: "CHANGE/s"
      case .span(let index): "AVG \(CounterTrack.spans[index])"
      case .average: "AVERAGE/s"
      }
    }
  }

  private static let nameWidthMin = 16

  init(width: Int, isScaled: Bool) {
    self.width = width
    self.isScaled = isScaled
    let isWide = width >= 100
    numberWidth = isWide ? 12 : 10
    let all: [Column] = [.value, .change, .span(0), .span(1), .span(2)] + (isWide ? [.average] : [])
    shown = Array(all.prefix(max(1, (width - Self.nameWidthMin) / numberWidth)))
    nameWidth = max(0, width - shown.count * numberWidth)
  }

  /// The line above the columns.
  var title: String {
    ShownWidth.fitted("NAME", nameWidth) + shown.map { right($0.title) }.joined()
  }

  /// The row of a counter.
  func row(_ entry: ShownCounters.Entry, _ name: String, _ track: CounterTrack?, workerSeconds: UInt64)
    -> String
  {
    let name = ShownWidth.fitted(name, nameWidth)
    if entry.counter.kind == .bitmap {
      // A bitmap's digits need the room of two columns, and nothing else is shown of it.
      let digits = String(entry.value, radix: 16)
      return name
        + right(String(repeating: "0", count: 16 - digits.count) + digits, columns: min(2, shown.count))
    }
    let texts = shown.map { column in
      switch column {
      case .value: value(entry)
      case .change: number(track?.change, entry)
      case .span(let index): number(track?.average(index), entry)
      case .average: number(entry.average(over: workerSeconds), entry)
      }
    }
    return name + texts.map { right($0) }.joined()
  }

  private func value(_ entry: ShownCounters.Entry) -> String {
    if entry.counter.format == .duration { return ShownNumber.shortDuration(entry.value) }
    let digits = "\(entry.value)"
    // The number's own digits, if they fit and aren't to be shortened.
    if digits.count < numberWidth, !isScaled || digits.count <= 5 { return digits }
    return ShownNumber.compact(
      Double(entry.value), digits: 0, isBytes: entry.counter.format == .bytes, isScaled: isScaled)
  }

  private func number(_ number: Double?, _ entry: ShownCounters.Entry) -> String {
    guard let number, entry.counter.kind == .counter || entry.counter.kind == .gauge else { return "." }
    return ShownNumber.compact(number, digits: 2, isBytes: entry.counter.format == .bytes, isScaled: isScaled)
  }

  private func right(_ text: String, columns: Int = 1) -> String {
    let room = numberWidth * columns
    // At least one blank is between two columns.
    let text = text.count < room ? text : String(text.prefix(room - 2)) + "~"
    return String(repeating: " ", count: room - text.count) + text
  }
}
