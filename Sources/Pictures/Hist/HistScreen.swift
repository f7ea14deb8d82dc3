import Platform
package import TerminalViews

/// A live histogram on a terminal, with the history of its percentiles.
package struct HistScreen: ~Copyable, Sendable {
  private let tables: HistTables
  private let watch: RunWatch
  private let bend: TimeBend?
  private let title: String
  private var measure = 0
  private var picture = HistogramPicture()
  private var minutes: [HistogramPicture] = []
  private var showsAll = false
  private var help: Int?
  private var interval: Double
  private var nextLook: Int64 = 0

  private static let waitingNanoseconds: Int64 = 200_000_000

  /// Shows the measurements of observers.
  ///
  /// - Parameters:
  ///   - bend: the pace, which keys change; nil if transactions are measured at once.
  ///   - title: the name of the log.
  ///   - interval: seconds between two updates.
  package init(_ tables: HistTables, _ watch: RunWatch, _ bend: TimeBend?, title: String, interval: Double) {
    (self.tables, self.watch, self.bend, self.title) = (tables, watch, bend, VisibleText.oneLine(title))
    self.interval = interval
  }

  private mutating func look(at now: Int64) {
    tables.advance(to: now)
    picture = showsAll ? tables.total(measure) : tables.lately(measure)
    minutes = tables.minutes(measure)
  }

  // MARK: Drawing

  private func titleLine(_ scale: Int) -> StyledLine {
    let of = tables.measures.count > 1 ? " (\(measure + 1) of \(tables.measures.count))" : ""
    return StyledLine([
      StyledLine.Piece("hist  \(title)  ", .strong),
      StyledLine.Piece(
        "\(tables.measures[measure].name)\(of)  \(showsAll ? "since the start" : "last 5 min"): "
          + "\(picture.count), hits | \(picture.hitCount), others # \(picture.count - picture.hitCount)  1:\(scale)"
      ),
    ])
  }

  /// The percentiles, now and in each of the last minutes.
  private func table(_ columns: Int) -> [StyledLine] {
    let shown = [picture] + minutes.prefix(max(0, (columns - 20) / 10))
    let names = [showsAll ? "ALL" : "5 MIN", "0-1 MIN", "1-2", "2-3", "3-4", "4-5"]
    var lines = [
      StyledLine(
        ShownWidth.fitted(
          ShownFigure.right("", 8)
            + zip(names, shown).map { name, _ in ShownFigure.right(name, 10) }.joined(), columns),
        .strong)
    ]
    for (name, part) in HistReport.parts {
      let cells = shown.map {
        ShownFigure.right(
          ShownFigure.measured(HistReport.value(name, part, of: $0), tables.measures[measure]), 10)
      }
      lines.append(StyledLine(ShownFigure.right(name, 8) + cells.joined()))
    }
    return lines
  }

  private var stateLine: StyledLine {
    StyledLine([
      StyledLine.Piece(
        "every \(ShownNumber.decimal(interval, digits: 1)) s" + (watch.hasEnded ? "  ended" : "")),
      StyledLine.Piece("   h help  m measure  a all  q quit", .faint),
    ])
  }

  private static let helpText = """
    Keys of spillway hist

      q          quit
      h          this help, and back
      m          the next measure: ttfb, total, backend
      a          all since the start, or the last five minutes
      0 to 9     look every 1, 2, 4 ... 512 seconds
      + -        look less often, or more often: half or twice as often
      < >        a captured log half or twice as fast, with -B
      Ctrl-T     look now

    Hits are drawn as |, on top of all others, which are #. The axis is
    logarithmic, in seconds. The percentiles are right to one part in 64, the
    largest exactly; beside them those of each of the last five minutes.
    """
}

extension HistScreen: TerminalView {
  package mutating func update(at now: Int64) -> Int64 {
    if now >= nextLook {
      look(at: now)
      nextLook = now + Int64(interval * 1e9)
    }
    return min(nextLook, now + Self.waitingNanoseconds)
  }

  package var isOver: Bool { watch.isOver }

  package mutating func lines(columns: Int, rows: Int) -> [StyledLine] {
    guard columns >= 20, rows >= 6 else { return [StyledLine("too small")].prefix(rows).map { $0 } }
    if help != nil { return HelpText.lines(Self.helpText, from: &help, rows: rows) }
    var chart = HistChart(tables.measures[measure], width: columns)
    chart.add(picture)
    let table = rows >= 18 ? table(columns) : []
    let room = rows - 3 - table.count - 2
    var lines = [titleLine(chart.scale(rows: max(1, room))), watch.line] + table
    lines += chart.lines(rows: max(1, room)).map { StyledLine($0) }
    lines.append(stateLine)
    return lines
  }

  package mutating func take(_ key: Key) -> Bool {
    if help != nil {
      HelpText.take(key, &help)
      return true
    }
    switch key {
    case .character("q"), .control("c"): return false
    case .character("h"), .character("?"): help = 0
    case .character("m"):
      measure = (measure + 1) % tables.measures.count
      nextLook = 0
    case .character("a"):
      showsAll.toggle()
      nextLook = 0
    case .character("<"): bend?.change(by: 0.5)
    case .character(">"): bend?.change(by: 2)
    case .character("+"): interval = min(512, interval * 2)
    case .character("-"): interval = max(0.125, interval / 2)
    case .character(let digit) where ("0"..."9").contains(digit):
      interval = Double(1 << (digit.value - 48))
      nextLook = 0
    case .control("t"): nextLook = 0
    default: break
    }
    return true
  }
}
