import Glibc
import Platform
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
  private let commands = Atomic<UInt8>(0)
  private let hasFailed = Atomic<Bool>(false)
  private let storedFailure = Guarded<SinkError?>(nil)
  /// When the thread has ended.
  let end = ThreadEnd()
  /// The same for those who wait for other descriptors, too.
  private let endEvent: WakeEvent

  /// - Parameter event: announces the end, beside other things that are of interest to the same thread.
  init(_ event: WakeEvent) { endEvent = event }

  /// Says that the thread has ended and its numbers are final; for the thread.
  func announceEnd() {
    end.announce()
    endEvent.signal()
  }

  /// Waits for the end or for a descriptor; whether the end has come.
  func waitForEnd(or descriptor: Int32) -> Bool {
    if end.isAnnounced { return true }
    var descriptors = [
      pollfd(fd: endEvent.descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
    ]
    SystemCalls.poll(&descriptors, nanoseconds: nil)
    endEvent.clear()
    return end.isAnnounced
  }

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
