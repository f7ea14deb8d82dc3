import CShims
import Glibc
import Platform

/// A view that fills the whole screen and responds to keys.
package protocol TerminalView: ~Copyable {
  /// Updates the view.
  ///
  /// - Returns: when to update it next, on the steady clock in nanoseconds.
  mutating func update(at nanoseconds: Int64) -> Int64

  /// The lines from the top row on, at most as many as there are rows.
  mutating func lines(columns: Int, rows: Int) -> [StyledLine]

  /// Takes a key.
  ///
  /// - Returns: whether the view goes on.
  mutating func take(_ key: Key) -> Bool

  /// Whether the view has ended; asked after every update.
  var isOver: Bool { get }
}

extension TerminalView where Self: ~Copyable {
  /// By default, only keys and signals end a view.
  package var isOver: Bool { false }
}

/// Shows a view on the whole terminal until the view or a signal ends it, and restores the terminal's settings.
package struct ViewScreen: ~Copyable {
  private var terminal: Terminal
  private var output: TerminalOutput
  private var decoder = KeyDecoder()
  /// The text in each row.
  private var shown: [String] = []
  private var shownSize = (columns: 0, rows: 0)
  /// Where keys are read; nil if no more can come.
  private var keys: Int32?

  /// How long to wait for the rest of a key, and for a terminal that accepts nothing.
  private static let keyMilliseconds: Int32 = 50, stuckMilliseconds: Int64 = 200
  /// The signals that end the view.
  private let endings: [Int32]

  /// Makes a screen on a terminal.
  ///
  /// - Parameter endsWithSignals: whether signals end the view; otherwise another thread handles them.
  package init(_ terminal: consuming Terminal, endsWithSignals: Bool = true) {
    endings = endsWithSignals ? [SIGINT, SIGTERM, SIGHUP] : []
    output = TerminalOutput(terminal.output)
    self.terminal = terminal
  }

  /// Shows the view.
  ///
  /// - Returns: the signal that ended the view; nil if the view ended itself.
  package mutating func run<View: TerminalView & ~Copyable>(_ view: inout View) -> Int32? {
    let signals = unsafe shim_signal_descriptor([SIGWINCH] + endings, Int32(1 + endings.count))
    defer { if signals >= 0 { close(signals) } }
    terminal.takeKeys()
    keys = terminal.keys
    output.add(Escape.enterScreen + Escape.hideCursor)
    let ending = show(&view, signals)
    output.add(Escape.showCursor + Escape.leaveScreen)
    output.flush()
    terminal.giveBackKeys()
    if !endings.isEmpty { shim_unblock_signals() }
    return ending
  }

  private mutating func show<View: TerminalView & ~Copyable>(_ view: inout View, _ signals: Int32) -> Int32? {
    while true {
      let next = view.update(at: SystemClock.steadyNanoseconds)
      if view.isOver { return nil }
      // Output that waits is out of date by now, but may not be cut off; so nothing is drawn until it is
      // written.
      if output.isEmpty { draw(&view) }
      let (pressed, signal) = wait(until: next, signals)
      if let signal { return signal }
      for key in pressed where !view.take(key) { return nil }
    }
  }

  // MARK: Waiting

  private mutating func wait(until next: Int64, _ signals: Int32) -> (keys: [Key], signal: Int32?) {
    var requests = [
      output.request, pollfd(fd: keys ?? -1, events: Int16(POLLIN), revents: 0),
      pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
    ]
    var left = max(0, next - SystemClock.steadyNanoseconds) / 1_000_000 + 1
    if !output.isEmpty { left = min(left, Self.stuckMilliseconds) }
    let limit = decoder.isUndecided ? Self.keyMilliseconds : Int32(min(left, 60_000))
    let count = unsafe poll(&requests, nfds_t(requests.count), limit)
    if requests[0].revents != 0 { output.write() }
    if requests[2].revents != 0 {
      while case let signal = shim_read_signal(signals), signal != 0 {
        if signal != SIGWINCH { return ([], signal) }
      }
    }
    if requests[1].revents != 0 { return (read(), nil) }
    return (count == 0 && decoder.isUndecided ? decoder.finish() : [], nil)
  }

  private mutating func read() -> [Key] {
    var bytes = [UInt8](repeating: 0, count: 256)
    guard let keys else { return [] }
    let count = retryingOnInterrupt { unsafe Glibc.read(keys, &bytes, bytes.count) }
    guard count > 0 else {
      self.keys = nil
      return []
    }
    return decoder.decode(bytes[..<count])
  }

  // MARK: Drawing

  /// Sends the rows that have changed.
  private mutating func draw<View: TerminalView & ~Copyable>(_ view: inout View) {
    let size = terminal.size
    if size != shownSize {
      shownSize = size
      shown = []
      output.add(Escape.clear)
    }
    // The last column stays free: some terminals wrap to the next row when it is written.
    let width = max(0, size.columns - 1)
    var rows = view.lines(columns: width, rows: size.rows).prefix(size.rows).map {
      $0.rendered(width: width, hasColours: terminal.hasColours)
    }
    while rows.count < shown.count { rows.append("") }
    for (row, text) in rows.enumerated() where row >= shown.count || shown[row] != text {
      output.add(Escape.line(text, row: row))
    }
    shown = rows
    output.write()
  }
}
