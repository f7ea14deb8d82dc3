import Glibc
import SharedMemory
import Synchronization

/// What an output and its thread tell each other.
final class OutputState: Sendable {
  /// What the thread is asked to do.
  struct Commands: OptionSet {
    let rawValue: UInt8
    static let reopen = Commands(rawValue: 1)
    static let flush = Commands(rawValue: 2)
    static let stop = Commands(rawValue: 4)
  }

  let written = AtomicTally()
  let dropped = AtomicTally()
  let abandoned = AtomicTally()
  let unconfirmed = AtomicTally()
  private let commands = Atomic<UInt8>(0)
  private let hasFailed = Atomic<Bool>(false)
  private let storedFailure = Guarded<SinkError?>(nil)
  /// When the thread has ended.
  let end: ThreadEnd

  init(end: ThreadEnd) { self.end = end }

  var failure: SinkError? {
    guard hasFailed.load(ordering: .acquiring) else { return nil }
    return storedFailure.withLock { $0 }
  }

  /// Keeps the first failure; for the thread.
  func fail(_ error: SinkError) {
    storedFailure.withLock { if $0 == nil { $0 = error } }
    hasFailed.store(true, ordering: .releasing)
  }

  func request(_ command: Commands) {
    commands.bitwiseOr(command.rawValue, ordering: .acquiringAndReleasing)
  }

  /// Whether there are commands that haven't been taken.
  var hasCommands: Bool { commands.load(ordering: .relaxed) != 0 }

  /// Whether one of them is to stop.
  var isAskedToStop: Bool {
    Commands(rawValue: commands.load(ordering: .relaxed)).contains(.stop)
  }

  /// The commands since the last call; for the thread.
  func takeCommands() -> Commands {
    guard commands.load(ordering: .relaxed) != 0 else { return [] }
    return Commands(rawValue: commands.exchange(0, ordering: .acquiringAndReleasing))
  }
}
