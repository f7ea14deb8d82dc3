import Glibc
import Platform
import Spool
import Synchronization

/// The state that an output shares with its thread.
final class OutputState: Sendable {
  /// What the thread is asked to do.
  struct Commands: OptionSet {
    let rawValue: UInt8
    static let reopen = Commands(rawValue: 1)
    static let flush = Commands(rawValue: 2)
    static let stop = Commands(rawValue: 4)
  }

  private let written = AtomicTally()
  private let givenUp = AtomicGivenUp()
  private let acceptedThrough: Atomic<Int>, settledThrough: Atomic<Int>
  private let commands = Atomic<UInt8>(0)
  private let hasFailed = Atomic<Bool>(false)
  /// Whether the thread waits, outside of any call of the sink, until the sink can take entries again.
  let waitsForSink = Atomic<Bool>(false)
  /// How much processor time the thread has taken; nil before it has begun.
  let threadClock = Guarded<ThreadClock?>(nil)
  private let storedFailure = Guarded<SystemError?>(nil)
  /// Announced when the thread has ended.
  let end = ThreadEnd()
  /// The same end for a thread that also waits for a descriptor; made when first needed, as descriptors may
  /// be few.
  private let endEvent = Guarded<WakeEvent?>(nil)

  init(startingAt sequence: Int) {
    acceptedThrough = Atomic(sequence)
    settledThrough = Atomic(sequence)
  }

  /// Publishes what has become of the entries, and what was given up if that has changed; for the output's
  /// thread.
  func publish(_ account: OutputAccount, hasGivenUp: Bool) {
    acceptedThrough.store(account.accepted.sequence, ordering: .releasing)
    settledThrough.store(account.settled.sequence, ordering: .releasing)
    written.store(account.written)
    if hasGivenUp { givenUp.store(account.givenUp) }
  }

  /// How far the sink has come.
  var progress: OutputProgress {
    // Read in the reverse of the order in which the two are stored: settled entries were accepted before.
    let settled = settledThrough.load(ordering: .acquiring)
    return OutputProgress(
      acceptedThrough: acceptedThrough.load(ordering: .acquiring), settledThrough: settled)
  }

  /// What became of the entries that were taken.
  var tallies: (written: Tally, givenUp: GivenUpTallies) {
    // Read in the reverse of the order in which the two are stored: entries that move from one tally to the
    // other meanwhile may be in neither, but never in both.
    let givenUp = givenUp.value
    return (written.value, givenUp)
  }

  /// Says that the thread has ended and its numbers are final; for the thread.
  func announceEnd() {
    end.announce()
    endEvent.withLock { $0?.signal() }
  }

  /// Waits for the thread's end or for a descriptor to become readable; returns whether the end has come.
  func waitForEnd(or descriptor: Int32) -> Bool {
    let event = endEvent.withLock { event in
      event = event ?? (try? WakeEvent(.real))
      return event
    }
    // Checked only once there is an event for the thread to signal.
    if end.isAnnounced { return true }
    var descriptors = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
    if let event { descriptors.append(pollfd(fd: event.descriptor, events: Int16(POLLIN), revents: 0)) }
    SystemCalls.poll(&descriptors, nanoseconds: event == nil ? Self.lookNanoseconds : nil)
    return end.isAnnounced
  }

  /// How often the end is polled for where there was no descriptor to signal it.
  private static let lookNanoseconds: Int64 = 50_000_000

  var failure: SystemError? {
    guard hasFailed.load(ordering: .acquiring) else { return nil }
    return storedFailure.withLock { $0 }
  }

  /// Keeps the first failure; for the thread.
  func fail(_ error: SystemError) {
    storedFailure.withLock { if $0 == nil { $0 = error } }
    hasFailed.store(true, ordering: .releasing)
  }

  func request(_ command: Commands) {
    commands.bitwiseOr(command.rawValue, ordering: .acquiringAndReleasing)
  }

  /// Whether there are commands that haven't been taken.
  var hasCommands: Bool { commands.load(ordering: .relaxed) != 0 }

  /// Whether one of the waiting commands is to stop.
  var isAskedToStop: Bool {
    Commands(rawValue: commands.load(ordering: .relaxed)).contains(.stop)
  }

  /// The commands since the last call; for the thread.
  func takeCommands() -> Commands {
    guard commands.load(ordering: .relaxed) != 0 else { return [] }
    return Commands(rawValue: commands.exchange(0, ordering: .acquiringAndReleasing))
  }
}

/// Tallies of the entries given up, which one thread writes and any thread reads.
private struct AtomicGivenUp: ~Copyable, Sendable {
  private let outputFailed = AtomicTally(), consumerGone = AtomicTally()
  private let tooLarge = AtomicTally(), unconfirmed = AtomicTally()

  var value: GivenUpTallies {
    var value = GivenUpTallies()
    value[.outputFailed] = outputFailed.value
    value[.consumerGone] = consumerGone.value
    value[.tooLarge] = tooLarge.value
    value[.unconfirmed] = unconfirmed.value
    return value
  }

  func store(_ tallies: GivenUpTallies) {
    outputFailed.store(tallies[.outputFailed])
    consumerGone.store(tallies[.consumerGone])
    tooLarge.store(tallies[.tooLarge])
    unconfirmed.store(tallies[.unconfirmed])
  }
}
