import Platform
import TerminalViews

/// A report of the measurements, printed once.
package struct HistReport {
  private let pictures: [(measure: Measure, picture: HistogramPicture)]

  /// The percentiles that are shown.
  static let parts: [(name: String, part: Double)] = [
    ("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999), ("max", 1),
  ]
  /// The percentiles' keys in JSON.
  private static let partKeys = ["p50", "p90", "p95", "p99", "p99_9", "max"]

  /// Makes a report of all numbers.
  package init(_ tables: HistTables) {
    pictures = tables.measures.enumerated().map { ($1, tables.total($0)) }
  }

  static func value(_ name: String, _ part: Double, of picture: HistogramPicture) -> Double? {
    name == "max" ? (picture.count > 0 ? Double(picture.largest) : nil) : picture.quantile(part)
  }

  /// For each measure a chart, and the percentiles.
  package func text(width: Int) -> [UInt8] {
    var lines: [String] = []
    for (measure, picture) in pictures {
      var chart = HistChart(measure, width: width)
      chart.add(picture)
      let values = Self.parts.map { name, part in
        "\(name) \(ShownFigure.measured(Self.value(name, part, of: picture), measure))"
      }
      lines.append(
        "\(measure.name): \(picture.count) measured, \(picture.hitCount) hits (|), \(picture.count - picture.hitCount) others (#);"
          + " a row is \(chart.scale(rows: Self.rows))")
      lines.append(values.joined(separator: "  "))
      if picture.count > 0 { lines += chart.lines(rows: Self.rows).map(Self.trimmed) }
      lines.append("")
    }
    if let last = lines.indices.last { lines.remove(at: last) }
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }

  private static let rows = 10

  private static func trimmed(_ line: String) -> String {
    String(line.reversed().drop { $0 == " " }.reversed())
  }

  /// A JSON object, in microseconds for times.
  package var json: [UInt8] {
    let measures = pictures.map { measure, picture -> JSONText in
      let percentiles = zip(Self.parts, Self.partKeys).map { part, key -> (String, JSONText) in
        let value = Self.value(part.name, part.part, of: picture)
        return (key, measure.isTime ? .whole(value.map { Int($0) }) : .number(value.map { $0 / 1e6 }))
      }
      return .object(
        [
          ("name", .text(measure.name)), ("unit", .text(measure.isTime ? "us" : "1")),
          ("count", .whole(picture.count)), ("hits", .whole(picture.hitCount)),
        ] + percentiles)
    }
    let object = JSONText.object([
      ("relative_error", .text("1/64")), ("measures", .array(measures)),
    ])
    return object.bytes + [UInt8(ascii: "\n")]
  }
}
