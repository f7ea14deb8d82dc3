import LogReading
import Platform
import TerminalViews

/// The state of the live view: which counters are shown and how, and what keys change of that.
///
/// It knows neither the terminal nor the clock, so a test can drive it.
struct CounterScreen {
  /// The name of the instance whose counters are shown, for the first line.
  let title: String
  /// Seconds between two looks.
  private(set) var interval: Double
  /// Whether gauges below zero are shown as they stand.
  private(set) var isRaw: Bool
  private var shown: ShownCounters?
  private var history = CounterHistory()
  /// Why there is nothing to show; nil while there is.
  private var trouble: String?

  private var level = Counter.Level.info
  private var showsUnseen = false
  private var isScaled = true
  private var filter = FilterField()
  private var selection = ListSelection()
  private var help: Int?

  /// What the loop has to do after a key.
  enum Request: Equatable {
    case nothing
    /// To look at the counters at once.
    case look
    case leave
  }

  init(title: String, interval: Double, isRaw: Bool) {
    self.title = VisibleText.oneLine(title)
    self.interval = interval
    self.isRaw = isRaw
  }

  // MARK: What is seen

  /// Takes in the present counters.
  mutating func show(_ counters: ShownCounters, at nanoseconds: Int64) {
    history.add(counters, at: nanoseconds)
    shown = counters
    trouble = nil
  }

  /// Shows why there are no counters; the last ones stay in sight.
  mutating func show(trouble text: String) { trouble = VisibleText.oneLine(text) }

  private var listed: [(entry: ShownCounters.Entry, name: String)] {
    guard let shown else { return [] }
    return shown.entries.compactMap { entry in
      let name = VisibleText.oneLine(entry.name)
      guard entry.counter.level <= level, filter.takes(name),
        showsUnseen || entry.value != 0 || history.track(entry.name)?.hasBeenSeen == true
      else { return nil }
      return (entry, name)
    }
  }

  // MARK: Drawing

  private static let headRows = 3, footRows = 2

  /// The rows to draw, of which the last one shows the state of what keys can change.
  mutating func lines(columns: Int, rows: Int) -> [StyledLine] {
    guard columns >= 20, rows >= 4 else { return [StyledLine("too small")].prefix(rows).map { $0 } }
    if let first = help { return helpLines(from: first, rows: rows) }
    let table = CounterColumns(width: columns, isScaled: isScaled)
    let listed = listed
    // A small terminal has a list rather than a head.
    let isSmall = rows < 10
    let room = max(1, rows - (isSmall ? 1 : Self.headRows) - (isSmall ? 1 : Self.footRows))
    selection.fit(listed.map(\.name), room: room)
    var lines = isSmall ? [] : [titleLine(columns), hitLine]
    lines.append(StyledLine(ShownWidth.fitted(table.title, columns), .strong))
    for (row, item) in listed.enumerated().dropFirst(selection.first).prefix(room) {
      let text = table.row(
        item.entry, item.name, history.track(item.entry.name), workerSeconds: shown?.workerSeconds ?? 0)
      lines.append(StyledLine(ShownWidth.fitted(text, columns), row == selection.index ? .reverse : .plain))
    }
    let foot = isSmall ? 1 : Self.footRows
    while lines.count < rows - foot { lines.append(StyledLine("")) }
    if !isSmall { lines.append(descriptionLine(listed)) }
    lines.append(stateLine(listed.count))
    return lines
  }

  private func titleLine(_ columns: Int) -> StyledLine {
    let worker = ShownNumber.duration(shown?.workerSeconds ?? 0)
    let manager = ShownNumber.duration(shown?.managerSeconds ?? 0)
    let times = columns < 70 ? "up \(worker)" : "manager \(manager)  worker \(worker)"
    let room = max(12, columns - times.count - 2)
    return StyledLine([
      StyledLine.Piece(ShownWidth.fitted("stat  " + title, room) + "  ", .strong), StyledLine.Piece(times),
    ])
  }

  private var hitLine: StyledLine {
    if let trouble { return StyledLine(trouble, .bad) }
    let ratios = CounterTrack.spans.indices.map { span in
      history.hitRatio(span).map { ShownNumber.decimal($0 * 100, digits: 1) + " %" } ?? "-"
    }
    let text = zip(CounterTrack.spans, ratios).map { "\($0) s \($1)" }.joined(separator: "   ")
    return StyledLine("hits in the cache:  " + text, .faint)
  }

  private func descriptionLine(_ listed: [(entry: ShownCounters.Entry, name: String)]) -> StyledLine {
    guard listed.indices.contains(selection.index) else { return StyledLine("") }
    let (entry, name) = listed[selection.index]
    return StyledLine([
      StyledLine.Piece(name, .strong), StyledLine.Piece("  " + VisibleText.oneLine(entry.counter.summary)),
    ])
  }

  private func stateLine(_ count: Int) -> StyledLine {
    if filter.isOpen {
      return StyledLine([
        StyledLine.Piece("/\(filter.text)_", .warning),
        StyledLine.Piece("  \(count) match; Enter keeps, Esc clears"),
      ])
    }
    if let trouble, shown == nil { return StyledLine(trouble, .bad) }
    let place = count == 0 ? "none" : "\(selection.index + 1) of \(count)"
    var parts = [place, "\(level)", showsUnseen ? "with unseen" : "without unseen"]
    if !filter.text.isEmpty { parts.append("/\(filter.text)") }
    if isRaw { parts.append("raw") }
    if !isScaled { parts.append("unscaled") }
    parts.append("every \(ShownNumber.decimal(interval, digits: 1)) s")
    return StyledLine([
      StyledLine.Piece(parts.joined(separator: "  ")),
      StyledLine.Piece("   h help  / filter  q quit", .faint),
    ])
  }

  // MARK: Help

  private static let helpText = """
    Keys of spillway stat

      q          quit
      h          this help, and back
      /          filter as you type: a part of the name, or a pattern: MAIN.s_*
      Up k       one counter up          Down j     one counter down
      PgUp b     one page up             PgDn Space one page down
      Home g     to the first            End G      to the last
      v          more counters: info, diag, debug
      V          fewer of them
      d          with those that have been 0 all the time, or without
      r          gauges below zero as they stand, or as 0
      e          numbers with all their digits, or shortened
      + -        look less often, or more often
      Ctrl-T     look now

    CHANGE/s is between the last two looks. AVG 10, 100 and 1000 are averages over
    so many seconds, or over as long as has been looked: what was added in a
    second, and for gauges their value. A point: nothing can be said.
    """

  private mutating func helpLines(from first: Int, rows: Int) -> [StyledLine] {
    let text = Self.helpText.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let start = min(first, max(0, text.count - rows))
    help = start
    return text.dropFirst(start).prefix(rows).enumerated().map { row, line in
      StyledLine(line, start + row == 0 ? .strong : .plain)
    }
  }

  // MARK: Keys

  /// Does what a key stands for.
  mutating func take(_ key: Key) -> Request {
    if let first = help { return takeInHelp(key, first) }
    if filter.take(key) { return .nothing }
    // The key moves in the list as it is now, whether it has been drawn yet or not.
    selection.fit(listed.map(\.name))
    if selection.take(key) { return .nothing }
    switch key {
    case .character("q"): return .leave
    case .character("h"), .character("?"): help = 0
    case .character("/"): filter.open()
    case .character("v"): level = Counter.Level(rawValue: level.rawValue + 1) ?? level
    case .character("V"): level = Counter.Level(rawValue: level.rawValue - 1) ?? level
    case .character("d"): showsUnseen.toggle()
    case .character("e"): isScaled.toggle()
    case .character("r"):
      isRaw.toggle()
      return .look
    case .character("+"): interval = min(60, interval < 1 ? interval + 0.1 : interval + 1)
    case .character("-"): interval = max(0.1, interval <= 1 ? interval - 0.1 : interval - 1)
    case .control("t"): return .look
    case .escape: filter.clear()
    default: break
    }
    return .nothing
  }

  private mutating func takeInHelp(_ key: Key, _ first: Int) -> Request {
    switch key {
    case .character("q"), .character("h"), .character("?"), .escape: help = nil
    case .down, .character("j"), .pageDown, .character(" "): help = first + 1
    case .up, .character("k"), .pageUp: help = max(0, first - 1)
    default: break
    }
    return .nothing
  }
}
