import Glibc

/// Bars over a logarithmic axis, as varnishhist draws them: hits as `|` on top of all others as `#`.
struct HistChart {
  private let columnsInDecade: Int
  private let low: Int, high: Int
  private var all: [Int], hits: [Int]

  /// How many numbers a row can stand for.
  private static let scales = [1, 2, 3, 4, 5, 10, 15, 20, 25, 50, 100]
  private static let labelStep = 5

  /// An empty chart.
  init(_ measure: Measure, width: Int) {
    (low, high) = (measure.low, measure.high)
    columnsInDecade = max(1, width / max(1, high - low))
    all = [Int](repeating: 0, count: columnsInDecade * max(1, high - low))
    hits = all
  }

  /// Adds the numbers of a histogram.
  mutating func add(_ picture: HistogramPicture) {
    for (bucket, count) in picture.all.enumerated() where count > 0 {
      add(Histogram.buckets.middle(of: bucket), count, hits: picture.hits[bucket])
    }
  }

  /// Adds a count of numbers of one size, in millionths.
  mutating func add(_ millionths: Double, _ count: Int, hits hitCount: Int) {
    let decades = log10(max(millionths, 1e-9)) - 6 - Double(low)
    let column = max(0, min(all.count - 1, Int((decades * Double(columnsInDecade)).rounded(.down))))
    all[column] += count
    hits[column] += hitCount
  }

  /// How many numbers a row stands for, so that the highest bar fits into a number of rows.
  func scale(rows: Int) -> Int {
    let highest = all.max() ?? 0
    var power = 1
    while true {
      for scale in Self.scales where highest / (scale * power) <= max(1, rows) { return scale * power }
      power *= 100
    }
  }

  /// The bars, from the top down, and the axis below them.
  func lines(rows: Int) -> [String] {
    let scale = scale(rows: rows)
    var lines: [String] = []
    for height in stride(from: rows, to: 0, by: -1) {
      var row = [Character](repeating: " ", count: all.count)
      if height % Self.labelStep == 0 {
        for (column, letter) in "\(height * scale)_".enumerated() where column < row.count {
          row[column] = letter
        }
      }
      for column in row.indices where all[column] / scale >= height {
        row[column] = (all[column] - hits[column]) / scale >= height ? "#" : "|"
      }
      lines.append(String(row))
    }
    return lines + axis
  }

  private var axis: [String] {
    let decades = low..<high
    let rule = decades.map { _ in "+" + String(repeating: "-", count: columnsInDecade - 1) }.joined()
    let marks = decades.map { decade in
      let mark = "|1e\(decade)"
      return mark.count <= columnsInDecade
        ? mark + String(repeating: " ", count: columnsInDecade - mark.count)
        : String(mark.prefix(columnsInDecade))
    }.joined()
    return [rule, marks]
  }
}
