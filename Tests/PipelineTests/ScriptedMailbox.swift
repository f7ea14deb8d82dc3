import Glibc
@testable import Pipeline
import Platform

/// A mailbox that a test fills; waiting on it advances the test's own clock.
final class ScriptedMailbox: Mailbox {
  private let event: WakeEvent
  private var commands: [Command] = []
  private let clock: ScriptedClock

  init(_ clock: ScriptedClock) throws {
    event = try WakeEvent(.real)
    self.clock = clock
  }

  /// Adds a command.
  func post(_ command: Command) {
    commands.append(command)
    event.signal()
  }

  var descriptor: Int32 { event.descriptor }

  func next() -> Command? {
    event.clear()
    return commands.isEmpty ? nil : commands.removeFirst()
  }

  func takeEnds(where ends: (Command) -> Bool) -> Bool {
    let count = commands.count
    commands.removeAll(where: ends)
    return commands.count < count
  }

  func wait(milliseconds: Int32, or other: Int32?) -> Bool {
    if !commands.isEmpty { return true }
    clock.advance(nanoseconds: Int64(max(0, milliseconds)) * 1_000_000)
    return false
  }
}

/// A clock that a test sets.
final class ScriptedClock: Sendable {
  private let steady = Guarded<Int64>(1_000_000_000_000)

  func advance(nanoseconds: Int64) { steady.withLock { $0 += nanoseconds } }

  var clock: RunClock {
    RunClock { [self] in
      let now = steady.withLock { $0 }
      return Moment(wallSeconds: 1_700_000_000 + now / 1_000_000_000, steadyNanoseconds: now)
    }
  }
}
