import Synchronization

/// Lets a program that runs a pipeline inside itself watch the run and end it.
///
/// Any thread may read the progress; the thread that reads the log stores it without locks between two pieces
/// of the log, and never waits for another thread.
public final class RunMonitor: Sendable {
  /// Called on the reading thread whenever a log is attached: records written from then on are read.
  let attached: @Sendable (RunMonitor) -> Void
  /// Called with each message that would otherwise go to standard error; nil sends them there.
  let say: (@Sendable (String) -> Void)?

  private let isAskedToEnd = Atomic(false)
  private let ending = Atomic(false)
  private let caughtUp = Atomic<Int64>(0)
  private let filtered = Atomic(0)
  private let committed = Atomic(0)
  private let refused = Atomic(0)
  private let written = Atomic(0)
  private let unconfirmed = Atomic(0)
  private let undelivered = Atomic(0)
  private let waitingBytes = Atomic(0)
  private let torn = Atomic(0)
  private let readBytes = Atomic(0)
  private let lostBytes = Atomic(0)

  /// Watches the run in whose configuration it is put.
  public init(
    attached: @escaping @Sendable (RunMonitor) -> Void = { _ in }, say: (@Sendable (String) -> Void)? = nil
  ) {
    self.attached = attached
    self.say = say
  }

  /// A run's progress; its numbers may be of moments that lie a little apart.
  public struct Progress: Sendable {
    /// What has become of everything so far.
    public var ledger = Ledger()
    /// Bytes of records that have been read, without the overhead of batches.
    public var readBytes = 0
    /// Bytes that wait in the spool for the output.
    public var waitingBytes = 0
    /// When the log was last read to its end, on the steady clock; 0 if not yet.
    public var caughtUpNanoseconds: Int64 = 0
    /// Whether the run only delivers the entries that it has.
    public var isEnding = false
  }

  /// The run's progress.
  public var progress: Progress {
    var progress = Progress()
    // The counts of what became of entries are stored after `committed`, and so loaded before it: lines that
    // were handed over in between count as queued.
    progress.ledger[.consumerGone] = undelivered.load(ordering: .acquiring)
    progress.ledger.unconfirmed = unconfirmed.load(ordering: .acquiring)
    progress.ledger.written = written.load(ordering: .acquiring)
    progress.ledger[.unwanted] = filtered.load(ordering: .relaxed)
    progress.ledger.committed = committed.load(ordering: .relaxed)
    progress.ledger[.spoolFull] = refused.load(ordering: .relaxed)
    progress.ledger[.torn] = torn.load(ordering: .relaxed)
    progress.ledger.lostBytes = lostBytes.load(ordering: .relaxed)
    progress.readBytes = readBytes.load(ordering: .relaxed)
    progress.ledger.readBytes = progress.readBytes
    progress.waitingBytes = waitingBytes.load(ordering: .relaxed)
    progress.caughtUpNanoseconds = caughtUp.load(ordering: .relaxed)
    progress.isEnding = ending.load(ordering: .acquiring)
    return progress
  }

  /// Ends the run once all that is in the log by now has been read.
  public func endAfterLog() { isAskedToEnd.store(true, ordering: .releasing) }

  /// Whether the run is to end when there is nothing more to read.
  var endsAfterLog: Bool { isAskedToEnd.load(ordering: .acquiring) }

  // MARK: For the reading thread

  func note(_ ledger: Ledger) {
    filtered.store(ledger.filtered, ordering: .relaxed)
    committed.store(ledger.committed, ordering: .relaxed)
    refused.store(ledger.refused, ordering: .relaxed)
    written.store(ledger.written, ordering: .releasing)
    unconfirmed.store(ledger.unconfirmed, ordering: .releasing)
    undelivered.store(ledger.undelivered, ordering: .releasing)
    torn.store(ledger[.torn], ordering: .relaxed)
    readBytes.store(ledger.readBytes, ordering: .relaxed)
    lostBytes.store(ledger.lostBytes, ordering: .relaxed)
  }

  func note(_ ledger: Ledger, waitingBytes bytes: Int) {
    note(ledger)
    waitingBytes.store(bytes, ordering: .relaxed)
  }

  func noteCaughtUp(at nanoseconds: Int64) { caughtUp.store(nanoseconds, ordering: .relaxed) }

  func noteEnding() { ending.store(true, ordering: .releasing) }
}

/// A monitor is equal only to itself, as each watches one run.
extension RunMonitor: Equatable {
  /// Whether both are the same object.
  public static func == (one: RunMonitor, other: RunMonitor) -> Bool { one === other }
}
