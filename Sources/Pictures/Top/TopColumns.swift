import TerminalViews

/// The columns of a table of keys; a narrow table has fewer.
struct TopColumns {
  private let width: Int
  private let keyWidths: [Int]
  private let shown: [Column]
  private let keyNames: [String]

  private enum Column: CaseIterable {
    case count, error, rate, share, bytes, p99, misses

    var title: String {
      switch self {
      case .count: "COUNT"
      case .error: "+AT MOST"
      case .rate: "RATE/s"
      case .share: "SHARE"
      case .bytes: "BYTES"
      case .p99: "P99"
      case .misses: "MISSES"
      }
    }

    var width: Int {
      switch self {
      case .count, .bytes, .error, .rate: 10
      case .share, .misses: 7
      case .p99: 8
      }
    }
  }

  /// The columns for keys with these parts that fit into a width.
  init(keyNames: [String], width: Int) {
    self.width = width
    self.keyNames = keyNames
    let all: [Column] =
      switch width {
      case 100...: Column.allCases
      case 76..<100: [.count, .rate, .share, .bytes, .p99, .misses]
      case 48..<76: [.count, .share, .p99]
      default: [.count]
      }
    shown = all
    let room = max(0, width - all.reduce(0) { $0 + $1.width } - 2)
    // The last part gets the rest of the width, as addresses are longer than names.
    let others = keyNames.count - 1
    let each = keyNames.count > 1 ? max(1, room * 2 / (keyNames.count * 2 + 1)) : 0
    keyWidths = [Int](repeating: each, count: others) + [max(0, room - each * others)]
  }

  /// The line above the columns.
  var title: String {
    shown.map { ShownFigure.right($0.title, $0.width) }.joined() + "  " + fitted(keyNames)
  }

  /// The row of a key.
  func row(_ hitter: HeavyHitters.Hitter, in picture: TopPicture) -> String {
    let cells = shown.map { ShownFigure.right(Self.text($0, hitter, picture), $0.width) }
    return cells.joined() + "  " + fitted(picture.columns(of: hitter))
  }

  private static func text(_ column: Column, _ hitter: HeavyHitters.Hitter, _ picture: TopPicture) -> String {
    switch column {
    case .count: ShownNumber.compact(hitter.count, digits: hitter.count == hitter.count.rounded() ? 0 : 1)
    case .error: hitter.error >= 0.05 ? ShownNumber.compact(hitter.error, digits: 1) : "0"
    case .rate: picture.seconds.map { ShownNumber.compact(hitter.count / $0, digits: 2) } ?? "-"
    case .share: ShownFigure.share(hitter.count, of: picture.total)
    case .bytes: ShownNumber.compact(hitter.bytes, digits: 0, isBytes: true)
    case .p99: ShownFigure.time(hitter.p99)
    case .misses: ShownFigure.share(hitter.misses, of: hitter.count)
    }
  }

  private func fitted(_ parts: [String]) -> String {
    // Further parts than there are columns go into the last column.
    var cells = Array(parts.prefix(keyWidths.count))
    if parts.count > keyWidths.count {
      cells =
        parts.prefix(keyWidths.count - 1) + [parts.dropFirst(keyWidths.count - 1).joined(separator: " ")]
    }
    return zip(cells, keyWidths).map { ShownWidth.fitted($0, max(0, $1 - 1)) + ($1 > 0 ? " " : "") }.joined()
  }
}
