import Platform
package import TerminalViews

/// A live table of the most frequent keys on a terminal.
package struct TopScreen: ~Copyable, Sendable {
  private let observer: TopObserver
  private let watch: RunWatch
  private let title: String
  private let keyNames: [String]
  private let period: Double
  private var picture = TopPicture()
  private var filter = FilterField()
  private var selection = ListSelection()
  private var order = Order.count
  private var help: Int?
  private var interval: Double
  private var nextLook: Int64 = 0
  private var isHalted = false

  /// The column by which the rows are ordered.
  private enum Order: CaseIterable {
    case count, bytes, p99, misses

    var name: String {
      switch self {
      case .count: "count"
      case .bytes: "bytes"
      case .p99: "p99"
      case .misses: "misses"
      }
    }

    func comes(_ one: HeavyHitters.Hitter, before other: HeavyHitters.Hitter) -> Bool {
      switch self {
      case .count: one.count > other.count
      case .bytes: one.bytes > other.bytes
      case .p99: (one.p99 ?? -1) > (other.p99 ?? -1)
      case .misses: one.misses > other.misses
      }
    }
  }

  private static let limit = 1000
  private static let headRows = 3, footRows = 2
  private static let waitingNanoseconds: Int64 = 200_000_000

  /// Shows the table of an observer.
  ///
  /// - Parameters:
  ///   - title: the name of the log.
  ///   - keyNames: the names of a key's parts.
  ///   - period: the number of seconds over which earlier arrivals fade.
  ///   - interval: seconds between two updates.
  package init(
    _ observer: TopObserver, _ watch: RunWatch, title: String, keyNames: [String], period: Double,
    interval: Double = 1
  ) {
    (self.observer, self.watch, self.title) = (observer, watch, VisibleText.oneLine(title))
    self.keyNames = keyNames.map(VisibleText.oneLine)
    (self.period, self.interval) = (period, interval)
  }

  private mutating func look() {
    let filter = filter
    picture = observer.picture(
      limit: Self.limit,
      where: filter.text.isEmpty
        ? nil : { picture, hitter in filter.isIn(picture.columns(of: hitter).joined(separator: " ")) })
    if order != .count {
      let order = order
      picture.hitters.sort { order.comes($0, before: $1) }
    }
  }

  // MARK: Drawing

  private var titleLine: StyledLine {
    StyledLine([
      StyledLine.Piece("top  \(title)  ", .strong),
      StyledLine.Piece(
        "\(ShownNumber.compact(picture.total, digits: 0)) in \(ShownNumber.compact(period, digits: 0)) s, "
          + "\(picture.keyCount) keys, "
          + (picture.floor > 0
            ? "others below \(ShownNumber.compact(picture.floor, digits: 1))" : "no others")),
    ])
  }

  private func detailLine() -> StyledLine {
    guard picture.hitters.indices.contains(selection.index) else { return StyledLine("") }
    let hitter = picture.hitters[selection.index]
    let count =
      "\(ShownNumber.decimal(hitter.count, digits: 1)) to \(ShownNumber.decimal(hitter.countMax, digits: 1))"
    return StyledLine([
      StyledLine.Piece(count + "  "),
      StyledLine.Piece(picture.columns(of: hitter).joined(separator: "  "), .strong),
    ])
  }

  private var stateLine: StyledLine {
    if filter.isOpen {
      return StyledLine([
        StyledLine.Piece("/\(filter.text)_", .warning),
        StyledLine.Piece("  \(picture.hitters.count) match; Enter keeps, Esc clears"),
      ])
    }
    let count = picture.hitters.count
    var parts = [count == 0 ? "none" : "\(selection.index + 1) of \(count)", "by \(order.name)"]
    if !filter.text.isEmpty { parts.append("/\(filter.text)") }
    if isHalted { parts.append("halted") }
    if watch.hasEnded { parts.append("ended") }
    parts.append("every \(ShownNumber.decimal(interval, digits: 1)) s")
    return StyledLine([
      StyledLine.Piece(parts.joined(separator: "  ")),
      StyledLine.Piece("   h help  / filter  q quit", .faint),
    ])
  }

  private static let helpText = """
    Keys of spillway top

      q          quit
      h          this help, and back
      /          filter as you type: a part of the key
      Up k       one row up              Down j     one row down
      PgUp b     one page up             PgDn Space one page down
      Home g     to the first            End G      to the last
      o          by count, bytes, p99, misses
      s          hold the picture still, and let it go on
      + -        look less often, or more often
      Ctrl-T     look now

    COUNT is how many came in the period, former ones counting less and less;
    the row that is chosen has below it what the count may be at most. SHARE is
    of all that came, MISSES of those of the key; P99 is right to an eighth.
    """
}

extension TopScreen: TerminalView {
  package mutating func update(at now: Int64) -> Int64 {
    if now >= nextLook {
      if !isHalted { look() }
      nextLook = now + Int64(interval * 1e9)
    }
    return min(nextLook, now + Self.waitingNanoseconds)
  }

  package var isOver: Bool { watch.isOver }

  package mutating func lines(columns: Int, rows: Int) -> [StyledLine] {
    guard columns >= 20, rows >= 4 else { return [StyledLine("too small")].prefix(rows).map { $0 } }
    if help != nil { return HelpText.lines(Self.helpText, from: &help, rows: rows) }
    let table = TopColumns(keyNames: keyNames, width: columns)
    let isSmall = rows < 10
    let room = max(1, rows - (isSmall ? 1 : Self.headRows) - (isSmall ? 1 : Self.footRows))
    selection.fit(picture.hitters.map { picture.columns(of: $0).joined(separator: "\t") }, room: room)
    var lines = isSmall ? [] : [titleLine, watch.line]
    lines.append(StyledLine(ShownWidth.fitted(table.title, columns), .strong))
    for (row, hitter) in picture.hitters.enumerated().dropFirst(selection.first).prefix(room) {
      let text = ShownWidth.fitted(table.row(hitter, in: picture), columns)
      lines.append(StyledLine(text, row == selection.index ? .reverse : .plain))
    }
    while lines.count < rows - (isSmall ? 1 : Self.footRows) { lines.append(StyledLine("")) }
    if !isSmall { lines.append(detailLine()) }
    lines.append(stateLine)
    return lines
  }

  package mutating func take(_ key: Key) -> Bool {
    if help != nil {
      HelpText.take(key, &help)
      return true
    }
    if filter.take(key) {
      look()
      return true
    }
    if selection.take(key) { return true }
    switch key {
    case .character("q"): return false
    case .character("h"), .character("?"): help = 0
    case .character("/"): filter.open()
    case .character("o"):
      let all = Order.allCases
      order = all[((all.firstIndex(of: order) ?? 0) + 1) % all.count]
      look()
    case .character("s"): isHalted.toggle()
    case .character("+"): interval = min(60, interval < 1 ? interval + 0.1 : interval + 1)
    case .character("-"): interval = max(0.1, interval <= 1 ? interval - 0.1 : interval - 1)
    case .control("t"): nextLook = 0
    case .escape:
      filter.clear()
      look()
    default: break
    }
    return true
  }
}
