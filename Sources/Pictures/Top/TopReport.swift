import Platform
import TerminalViews

/// A report of the table, printed once.
package struct TopReport {
  private let picture: TopPicture
  private let keyNames: [String]

  /// A report of a picture.
  package init(_ picture: TopPicture, keyNames: [String]) {
    self.picture = picture
    self.keyNames = keyNames
  }

  /// The table with its columns' names above it, and its accuracy below it.
  package var text: [UInt8] {
    var lines = [
      row(
        ["COUNT", "+AT MOST", "RATE/s", "SHARE", "BYTES", "P99", "MISSES"], keyNames.map(VisibleText.oneLine))
    ]
    for hitter in picture.hitters {
      let cells = [
        whole(hitter.count), whole(hitter.error), picture.seconds.map { decimal(hitter.count / $0) } ?? "-",
        ShownFigure.share(hitter.count, of: picture.total), whole(hitter.bytes), ShownFigure.time(hitter.p99),
        whole(hitter.misses),
      ]
      lines.append(row(cells, picture.columns(of: hitter)))
    }
    lines.append(
      "\(whole(picture.total)) counted, \(picture.keyCount) keys held; any other came \(whole(picture.floor)) times at most"
    )
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }

  private static let widths = [10, 10, 11, 8, 14, 9, 10]

  private func row(_ cells: [String], _ keys: [String]) -> String {
    zip(cells, Self.widths).map { text, width in
      String(repeating: " ", count: max(1, width - text.count)) + text
    }.joined() + "  " + keys.joined(separator: "  ")
  }

  private func whole(_ number: Double) -> String { "\(Int(min(number, 1e18).rounded()))" }
  private func decimal(_ number: Double) -> String { ShownNumber.decimal(min(number, 1e15), digits: 2) }

  /// A JSON object.
  package var json: [UInt8] {
    let hitters = picture.hitters.map { hitter in
      JSONText.object([
        ("key", .array(picture.columns(of: hitter).map { .text($0) })),
        ("count", .number(hitter.count)), ("count_max", .number(hitter.countMax)),
        ("rate", .number(picture.seconds.map { hitter.count / $0 })),
        ("share", .number(picture.total > 0 ? hitter.count / picture.total : nil)),
        ("bytes", .number(hitter.bytes)), ("p99_us", .whole(hitter.p99.map { Int($0) })),
        ("misses", .number(hitter.misses)),
      ])
    }
    let object = JSONText.object([
      ("by", .array(keyNames.map { .text($0) })), ("counted", .number(picture.total)),
      ("seconds", .number(picture.seconds)), ("keys", .whole(picture.keyCount)),
      ("others_max", .number(picture.floor)), ("top", .array(hitters)),
    ])
    return object.bytes + [UInt8(ascii: "\n")]
  }

  /// Lines as varnishtop prints them, in its order: of keys with equal counts, first the one whose bytes have
  /// the smaller sum, then the one with the lower tag, then the shorter one, then by their bytes.
  package var varnishtop: [UInt8] {
    var bytes: [UInt8] = []
    let rows = picture.hitters.map { (hitter: $0, sum: Self.sum($0.key)) }.sorted { one, other in
      if one.hitter.count != other.hitter.count { return one.hitter.count > other.hitter.count }
      if one.sum != other.sum { return one.sum < other.sum }
      if one.hitter.kind != other.hitter.kind { return one.hitter.kind < other.hitter.kind }
      if one.hitter.key.count != other.hitter.key.count {
        return one.hitter.key.count < other.hitter.key.count
      }
      return one.hitter.key.lexicographicallyPrecedes(other.hitter.key)
    }
    for (hitter, _) in rows {
      let number = ShownNumber.decimal(min(hitter.count, 1e15), digits: 2)
      bytes += String(repeating: " ", count: max(0, 9 - number.count)).utf8
      bytes += "\(number) \(picture.kinds[hitter.kind] ?? "-") ".utf8
      bytes += hitter.key
      bytes.append(UInt8(ascii: "\n"))
    }
    return bytes
  }

  /// The sum of the bytes as signed numbers.
  private static func sum(_ key: [UInt8]) -> Int { key.reduce(0) { $0 + Int(Int8(bitPattern: $1)) } }
}
