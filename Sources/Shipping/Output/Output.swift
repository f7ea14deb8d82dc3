import Glibc
public import Platform
public import Spool

/// One output: a spool, a sink, and the thread that carries entries from one to the other.
///
/// The sink may stall or break; the holder of an output never waits for it, except in `join`. The
/// thread exists from the beginning, so an output is made after a process has gone into the
/// background.
public final class Output: Sendable {
  /// The name for messages.
  public let name: String

  /// What the entries are.
  public let content: EntryContent

  let spool: Spool
  let state: OutputState
  /// Nil if a driver runs the loop.
  private let thread: pthread_t?
  let custody: ReaderCustody
  // Used by the output's thread; the thread that ends the output uses it only while the output's thread hangs
  // in a call of the sink, or has ended.
  private nonisolated(unsafe) let sink: any Sink
  private let options: Options

  /// How the thread deals with its sink.
  public struct Options: Sendable {
    /// Whether a sink that fails is tried again until it works, unless it refuses for good; otherwise its first
    /// failure is the output's.
    public var triesAgain: Bool
    /// Returns the present time.
    public var clock: @Sendable () -> Moment
    /// Called with one line when a sink has failed or works again, on the output's thread; and while the output
    /// ends, on the thread that ends it and the one that puts entries on disk.
    public var warn: @Sendable (String) -> Void
    /// Notes the output's progress in a checkpoint, for another run; nil if there is no checkpoint.
    public var journal: OutputJournal?
    /// Runs the output's loops in place of threads of its own; nil if the output has threads.
    package var driver: (any LoopDriver)?

    /// Gives up at the first failure, unless told otherwise.
    public init(
      triesAgain: Bool = false, clock: @escaping @Sendable () -> Moment = Moment.now,
      warn: @escaping @Sendable (String) -> Void = { _ in }
    ) {
      self.triesAgain = triesAgain
      self.clock = clock
      self.warn = warn
    }
  }

  /// Makes the spool and starts the thread.
  /// - Parameter sink: Where the entries end up; from here on it belongs to the thread.
  /// - Throws: `SpoolError` when memory, descriptors or threads are exhausted.
  public convenience init(
    to sink: sending any Sink, spool: Spool.Options = Spool.Options(), options: Options = Options()
  ) throws(SpoolError) {
    try self.init(to: sink, spool: Spool(spool), options: options)
  }

  /// Starts the thread for a spool that was made before.
  /// - Throws: `SpoolError` when descriptors or threads are exhausted.
  public init(
    to sink: sending any Sink, spool: Spool, options: Options = Options()
  ) throws(SpoolError) {
    name = sink.name
    content = sink.content
    self.spool = spool
    state = OutputState(startingAt: spool.startSequence)
    do {
      try spool.startSpiller(options.driver)
      custody = ReaderCustody(spool.makeReader())
      if let journal = options.journal { sink.keep(journal) }
      unsafe self.sink = sink
      self.options = options
      let loop = OutputLoop(custody, sink: sink, state: state, options: options)
      if let driver = options.driver {
        thread = nil
        driver.take(sink.name, loop)
      } else {
        thread = try WorkerThread.start(loop)
      }
    } catch {
      _ = spool.stopSpiller()
      throw SpoolError(operation: "thread for \(name)", errno: error)
    }
  }

  /// Makes the producer's end of the spool, into which entries are rendered; there is one.
  public func makeWriter() -> SpoolWriter { spool.makeWriter() }

  /// Why the output has failed; nil if it hasn't, which costs one load to find out.
  public var failure: SystemError? { state.failure }

  /// The spool's counters.
  public var usage: SpoolUsage { spool.usage }

  /// What has become of the output's entries so far.
  ///
  /// Exact once the thread has ended; until then, entries on their way count as undelivered.
  public var report: OutputReport {
    // The sink's tallies are read before the spool's counters: entries that move meanwhile may count as
    // undelivered, but never twice.
    let (written, givenUp) = state.tallies
    let unconfirmed = givenUp[.unconfirmed]
    let dropped = givenUp[.outputFailed] + givenUp[.consumerGone]
    let tooLarge = givenUp[.tooLarge]
    let usage = spool.usage
    let accounted = written + unconfirmed + dropped + tooLarge + usage.damaged + usage.kept
    return OutputReport(
      inherited: usage.inherited, written: written, unconfirmed: unconfirmed,
      droppedByFailure: dropped, droppedAsTooLarge: tooLarge, droppedByDamage: usage.damaged,
      kept: usage.kept,
      undelivered: usage.inherited + usage.committed - accounted, failure: failure)
  }

  /// The sequence in front of which no entry need be made again: all are settled and noted as such, or on the
  /// spool's disk.
  ///
  /// May be read by any thread.
  public var settledThrough: Int {
    let settled = options.journal?.settledThrough ?? progress.settledThrough
    return spool.options.disk?.keepsUp == true ? max(settled, spool.storedThrough) : settled
  }

  /// How far the sink has come.
  public var progress: OutputProgress { state.progress }

  /// What was given up so far for one cause.
  public func givenUp(_ cause: GivenUp.Cause) -> Tally { state.tallies.givenUp[cause] }

  /// Asks the sink to close its target and open it again by its name.
  public func requestReopen() { request(.reopen) }

  /// Asks the sink to hand on what it still holds, such as an incomplete gzip member.
  public func requestFlush() { request(.flush) }

  /// Ends any waiting of the writer for room in the spool: entries that find no room from now on are dropped.
  public func endWaiting() { spool.endWaiting() }

  /// Says that no more entries will come; the same as finishing the writer.
  public func finish() { spool.finish() }

  /// Waits until everything is delivered, at most for this long, and then stops the thread.
  ///
  /// The report is exact if the thread has ended. A thread that hangs in its sink is left behind; the entries that
  /// it has not delivered are put on the spool's disk without it, if there is one, within the same time. Called
  /// once, after `finish`.
  public func join(drainSeconds: Double) -> OutputReport {
    let nanoseconds = Int64(min(max(0, drainSeconds), 1e9) * 1e9)
    guard let thread else { return driveToEnd(nanoseconds: nanoseconds) }
    if state.end.wait(nanoseconds: nanoseconds - min(keepingNanoseconds, nanoseconds / 2)) {
      pthread_join(thread, nil)
      return report
    }
    request(.stop)
    if state.end.wait(nanoseconds: Self.stopNanoseconds) {
      pthread_join(thread, nil)
      return report
    }
    if custody.seize() {
      options.warn("\(name): hangs, and is left as it is")
      keepRest()
    } else {
      // The thread is putting the remaining entries on disk.
      waitWhileKeeping(state.end)
    }
    if state.end.isAnnounced { pthread_join(thread, nil) } else { pthread_detach(thread) }
    return report
  }

  /// Drives the loop to its end, as `join` does, where there is no thread.
  private func driveToEnd(nanoseconds: Int64) -> OutputReport {
    let start = options.clock().steadyNanoseconds
    while !state.end.isAnnounced, let driver = options.driver {
      if !driver.goOn() || options.clock().steadyNanoseconds - start >= nanoseconds { request(.stop) }
    }
    return report
  }

  /// How long a thread gets to notice that it should stop.
  private static let stopNanoseconds: Int64 = 1_000_000_000
  /// How long the disk may make no progress while the remaining entries are put on it.
  private static let stepNanoseconds: Int64 = 2_000_000_000
  /// How many nanoseconds a disk that isn't slow takes for a byte.
  private static let nanosecondsPerByte: Int64 = 5

  /// How much of the time must be left to put the waiting entries on disk.
  private var keepingNanoseconds: Int64 {
    guard spool.disk != nil else { return 0 }
    return Self.stopNanoseconds + Int64(usage.waiting.bytes) * Self.nanosecondsPerByte
  }

  private struct Keeper: ThreadLoop {
    let custody: ReaderCustody
    let sink: any Sink
    let warn: @Sendable (String) -> Void
    let end: ThreadEnd

    func run() {
      custody.reader.keepRest(sink.unsettledEntries, warn: warn)
      end.announce()
    }
  }

  /// Puts undelivered entries on disk, on another thread, as the disk may hang as well.
  private func keepRest() {
    guard spool.disk != nil else { return }
    let end = ThreadEnd()
    do {
      unsafe pthread_detach(
        try WorkerThread.start(Keeper(custody: custody, sink: sink, warn: options.warn, end: end)))
      waitWhileKeeping(end)
    } catch {
      unsafe custody.reader.keepRest(sink.unsettledEntries, warn: options.warn)
    }
  }

  /// Waits for the end of a thread that puts on disk what is left, as long as the disk takes something.
  private func waitWhileKeeping(_ end: ThreadEnd) {
    guard let disk = spool.disk else { return }
    var byteCount = -1
    while disk.byteCount != byteCount {
      byteCount = disk.byteCount
      if end.wait(nanoseconds: Self.stepNanoseconds) { return }
    }
  }

  /// Waits until the thread has ended or a descriptor, such as a signalfd, becomes readable.
  ///
  /// - Returns: whether the thread has ended; then `join` doesn't wait.
  public func waitForEnd(or descriptor: Int32) -> Bool {
    guard let driver = options.driver else { return state.waitForEnd(or: descriptor) }
    return !driver.goOn() || state.end.isAnnounced
  }

  private func request(_ command: OutputState.Commands) {
    state.request(command)
    spool.consumerWake.signal()
  }
}
