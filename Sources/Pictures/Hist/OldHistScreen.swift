import Glibc
import Platform
package import TerminalViews

/// A histogram of the latest numbers on the whole screen, as varnishhist shows it.
package struct OldHistScreen: ~Copyable, Sendable {
  private let tables: HistTables
  private let watch: RunWatch
  private let bend: TimeBend?
  private let host: String
  private var interval: Double
  private var numbers: [RecentNumbers.Number] = []
  private var nextLook: Int64 = 0

  private static let waitingNanoseconds: Int64 = 200_000_000

  /// Shows the first measure of the tables.
  package init(_ tables: HistTables, _ watch: RunWatch, _ bend: TimeBend?, interval: Double) {
    (self.tables, self.watch, self.bend, self.interval) = (tables, watch, bend, interval)
    var name = [CChar](repeating: 0, count: 256)
    let found = unsafe gethostname(&name, name.count - 1)
    host =
      found == 0
      ? String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
  }
}

extension OldHistScreen: TerminalView {
  package mutating func update(at now: Int64) -> Int64 {
    if now >= nextLook || watch.hasEnded {
      numbers = tables.latest(0)
      nextLook = now + Int64(interval * 1e9)
    }
    return min(nextLook, now + Self.waitingNanoseconds)
  }

  package var isOver: Bool { watch.isOver }

  package mutating func lines(columns: Int, rows: Int) -> [StyledLine] {
    // varnishhist also counts the last column, which views leave free.
    var chart = HistChart(tables.measures[0], width: columns + 1)
    for number in numbers { chart.add(Double(number.millionths), 1, hits: number.isHit ? 1 : 0) }
    let room = max(1, rows - 3)
    let corner = watch.hasEnded ? "EOF" : VisibleText.oneLine(host)
    let left = "1:\(chart.scale(rows: room)), n = \(numbers.count), d = \(Self.shown(interval))"
    let blanks = max(1, columns - left.count - corner.count)
    return [StyledLine(left + String(repeating: " ", count: blanks) + corner)]
      + chart.lines(rows: room).map { StyledLine($0) }
  }

  private static func shown(_ seconds: Double) -> String {
    seconds == seconds.rounded() ? "\(Int(seconds))" : "\(seconds)"
  }

  package mutating func take(_ key: Key) -> Bool {
    switch key {
    case .character("q"), .character("Q"): return false
    case .character("+"): interval = max(0.0625, interval / 2)
    case .character("-"): interval = min(512, interval * 2)
    case .character("<"): bend?.change(by: 0.5)
    case .character(">"): bend?.change(by: 2)
    case .character(let digit) where ("0"..."9").contains(digit):
      interval = Double(1 << (digit.value - 48))
    default: return true
    }
    nextLook = 0
    return true
  }
}
