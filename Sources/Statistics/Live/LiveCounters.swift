public import LogReading
import Platform
package import TerminalViews

/// The counters of an instance on a terminal, looked at again and again.
public struct LiveCounters: ~Copyable {
  private var instance: InstanceFollower
  private let filter: CounterFilter
  private var screen: CounterScreen
  private var nextLook: Int64 = 0
  private var lastLook: Int64 = 0

  /// Prepares to show the counters of an instance.
  ///
  /// - Parameters:
  ///   - filter: which counters there are at all; more can be left out with keys.
  ///   - interval: seconds between two looks.
  ///   - isRaw: whether gauges below zero are shown as they stand, until a key changes that.
  public init(
    _ instance: consuming InstanceFollower, _ filter: CounterFilter, interval: Double, isRaw: Bool
  ) {
    screen = CounterScreen(title: instance.path, interval: interval, isRaw: isRaw)
    self.instance = instance
    self.filter = filter
  }

  /// Whether there is a terminal to show counters on.
  public static var hasTerminal: Bool { Terminal.open() != nil }

  /// Shows the counters on the terminal until `q` is pressed.
  ///
  /// - Returns: the signal that ended it, if one did; nil otherwise, and where there is no terminal.
  public consuming func show() -> Int32? {
    guard let terminal = Terminal.open() else { return nil }
    var screen = ViewScreen(terminal)
    return screen.run(&self)
  }
}

extension LiveCounters: TerminalView {
  package mutating func update(at now: Int64) -> Int64 {
    guard now >= nextLook else { return nextLook }
    look(at: now)
    // If the machine slept, the missed looks aren't made up for in a burst.
    nextLook = max(nextLook, now - 1_000_000_000) + Int64(screen.interval * 1e9)
    if nextLook <= now { nextLook = now + Int64(screen.interval * 1e9) }
    return nextLook
  }

  private mutating func look(at now: Int64) {
    lastLook = now
    instance.refresh(at: now)
    do {
      guard let sample = try instance.sampleCounters() else { return screen.show(trouble: instance.trouble) }
      screen.show(ShownCounters(sample, filter, isRaw: screen.isRaw), at: now)
      if let process = instance.deadManager {
        screen.show(trouble: "its varnishd, process \(process), doesn't run: this is what it left")
      }
    } catch {
      screen.show(trouble: error.description)
    }
  }

  package mutating func lines(columns: Int, rows: Int) -> [StyledLine] {
    screen.lines(columns: columns, rows: rows)
  }

  package mutating func take(_ key: Key) -> Bool {
    let interval = screen.interval
    switch screen.take(key) {
    case .leave: return false
    case .look: nextLook = 0
    case .nothing: if screen.interval != interval { nextLook = lastLook + Int64(screen.interval * 1e9) }
    }
    return true
  }
}
