import LogWriting
import CShims
import Glibc
import Pipeline
import Platform
import Synchronization
import TerminalViews

/// Owns the terminal: writes the lines that come through a pipe, and the panel below them.
final class Screen: Sendable {
  private let thread = WorkThread()
  private let loop: Guarded<ScreenLoop?>
  private let ending = ScreenEnding()

  init(
    _ terminal: consuming Terminal, lines: Int32, notices: Notices, traffic: TrafficThread, path: String,
    spoolBytes: Int, programName: String
  ) {
    var figures = PanelFigures()
    figures.path = path
    figures.spoolBytesMax = spoolBytes
    loop = Guarded(
      ScreenLoop(
        terminal, lines: lines, notices: notices, traffic: traffic, figures: figures, programName: programName
      ))
  }

  /// Starts the thread; further calls do nothing.
  ///
  /// - Returns: whether there is a thread.
  func start(_ monitor: RunMonitor) -> Bool {
    thread.start {
      guard var loop = self.loop.withLock({ $0.take() }) else { return }
      loop.run(monitor, self.ending)
    }
  }

  /// Ends the lines, and waits until all are written and the terminal's settings are restored.
  ///
  /// - Parameter farewell: a message to write after the last line.
  func end(_ lines: LinePipe, _ farewell: String?) {
    ending.announce(farewell)
    lines.closeWriteEnd()
    thread.join()
  }
}

/// The announcement that there will be no more lines, with the message to write then.
final class ScreenEnding: Sendable {
  private let farewell = Guarded<String?>(nil)
  private let hasCome = Atomic(false)

  func announce(_ text: String?) {
    farewell.withLock { $0 = text }
    hasCome.store(true, ordering: .releasing)
  }

  var isAnnounced: Bool { hasCome.load(ordering: .acquiring) }

  var text: String? { farewell.withLock { $0 } }
}

/// The loop of the screen's thread.
struct ScreenLoop: ~Copyable {
  private var terminal: Terminal
  private let lines: Int32
  private let notices: Notices
  private let traffic: TrafficThread
  private let panel: Panel
  private let programName: String
  private var figures: PanelFigures
  private var meter = RateMeter()

  private var output: TerminalOutput
  /// A line whose end hasn't been read yet.
  private var fragment: [UInt8] = []
  /// The widths of the panel's lines on the terminal.
  private var shownWidths: [Int] = []
  private var hasEnded = false
  /// Where keys are read; nil if no more can come.
  private var keys: Int32?
  private var nextDrawing: Int64 = 0

  private static let drawingNanoseconds: Int64 = 200_000_000

  init(
    _ terminal: consuming Terminal, lines: Int32, notices: Notices, traffic: TrafficThread,
    figures: PanelFigures, programName: String
  ) {
    panel = Panel(hasColours: terminal.hasColours)
    output = TerminalOutput(terminal.output)
    self.terminal = terminal
    self.lines = lines
    self.notices = notices
    self.traffic = traffic
    self.figures = figures
    self.programName = programName
  }

  deinit { close(lines) }

  /// Returns when the lines have ended, or when the end was announced and the terminal accepts no more output.
  mutating func run(_ monitor: RunMonitor, _ ending: ScreenEnding) {
    let resized = unsafe shim_signal_descriptor([SIGWINCH], 1)
    defer { if resized >= 0 { close(resized) } }
    terminal.takeKeys()
    keys = terminal.keys
    output.add(Escape.hideCursor)
    while !hasEnded, !(ending.isAnnounced && output.isStuck) {
      let progress = monitor.progress
      // At the end the panel isn't shown, and the remaining lines are written.
      if progress.isEnding { figures.isStalled = false }
      if output.isEmpty, SystemClock.steadyNanoseconds >= nextDrawing {
        update(progress)
        draw([], showsPanel: !progress.isEnding)
      }
      wait(resized, isEnding: progress.isEnding)
    }
    draw(fragment, showsPanel: false)
    if let text = ending.text { output.add(Array("\(programName): \(VisibleText.oneLine(text))\n".utf8)) }
    output.add(Escape.showCursor)
    output.flush()
    terminal.giveBackKeys()
  }

  // MARK: Waiting

  private mutating func wait(_ resized: Int32, isEnding: Bool) {
    // Lines are read only after the terminal has accepted those before: so the terminal sets the pace, and
    // lines wait in the spool, which the panel shows.
    let takesLines = output.isEmpty && !figures.isStalled
    var requests = [
      output.request,
      pollfd(fd: lines, events: Int16(POLLIN), revents: 0),
      pollfd(fd: keys ?? -1, events: Int16(POLLIN), revents: 0),
      pollfd(fd: resized, events: Int16(POLLIN), revents: 0),
    ]
    if !takesLines { requests[1].fd = -1 }
    let left = max(0, nextDrawing - SystemClock.steadyNanoseconds) / 1_000_000
    // While the terminal accepts nothing, waiting may not end at once, or the loop would spin.
    _ = unsafe poll(&requests, nfds_t(requests.count), Int32(output.isEmpty ? left + 1 : 200))
    if requests[0].revents != 0 { output.write() }
    if requests[1].revents != 0 { takeLines(showsPanel: !isEnding) }
    if requests[2].revents != 0 { takeKey() }
    if requests[3].revents != 0 {
      while shim_read_signal(resized) != 0 {}
      nextDrawing = 0
    }
  }

  private mutating func takeLines(showsPanel: Bool) {
    var chunk = [UInt8](repeating: 0, count: 32 << 10)
    let count = retryingOnInterrupt { unsafe read(lines, &chunk, chunk.count) }
    guard count > 0 else {
      hasEnded = true
      return
    }
    fragment += chunk[..<count]
    guard let end = fragment.lastIndex(of: UInt8(ascii: "\n")) else { return }
    let whole = Array(fragment[...end])
    fragment.removeSubrange(...end)
    draw(whole, showsPanel: showsPanel)
  }

  private mutating func takeKey() {
    var key: UInt8 = 0
    guard let keys, unsafe read(keys, &key, 1) == 1 else {
      keys = nil
      return
    }
    switch key {
    case UInt8(ascii: "q"): traffic.stop()
    case UInt8(ascii: "s"): figures.isStalled.toggle()
    case UInt8(ascii: "+"): traffic.multiplyRate(by: 2)
    case UInt8(ascii: "-"): traffic.multiplyRate(by: 0.5)
    default: return
    }
    nextDrawing = 0
  }

  // MARK: Drawing

  private mutating func update(_ progress: RunMonitor.Progress) {
    let now = SystemClock.steadyNanoseconds
    nextDrawing = now + Self.drawingNanoseconds
    let ledger = progress.ledger
    figures.seen = ledger.seen
    // Lines that wait in the spool aren't written yet.
    figures.written = ledger.written
    (figures.seenRate, figures.writtenRate) = meter.add(
      seen: figures.seen, written: figures.written, at: now)
    figures.filtered = ledger.filtered
    figures.dropped = ledger.dropped
    figures.lost = ledger.lost
    figures.lagBytes = traffic.lagBytes(progress)
    let isBehind = figures.lagBytes > 0 && progress.caughtUpNanoseconds > 0
    figures.lagSeconds = isBehind ? Double(max(0, now - progress.caughtUpNanoseconds)) / 1e9 : 0
    figures.spoolBytes = progress.waitingBytes
    figures.cycles = Int(traffic.written.cycles)
    figures.hitPercentage = traffic.hitPercentage
    figures.rate = traffic.rate
  }

  /// Replaces the panel by lines, and draws it again below them.
  private mutating func draw(_ lines: [UInt8], showsPanel: Bool) {
    let (columns, rows) = terminal.size
    output.add(erasure(columns))
    for notice in notices.take() {
      output.add(Array("\(programName): \(VisibleText.oneLine(notice))\n".utf8))
    }
    output.add(lines)
    guard showsPanel else { return }
    let shown = panel.lines(figures, columns: columns, rows: rows)
    output.add(shown.joined(separator: "\n").utf8)
    shownWidths = Panel(hasColours: false).lines(figures, columns: columns, rows: rows).map(\.count)
  }

  /// The bytes that erase the panel; a terminal that has become narrower has wrapped its lines into more rows.
  private mutating func erasure(_ columns: Int) -> [UInt8] {
    guard !shownWidths.isEmpty else { return [] }
    let shownRows = shownWidths.reduce(0) { $0 + max(1, ($1 + columns - 1) / columns) }
    shownWidths = []
    return Escape.erase(rowsAbove: shownRows - 1)
  }
}
