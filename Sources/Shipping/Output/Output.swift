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
  /// Nil if something else has the loop go on.
  private let thread: pthread_t?
  let custody: ReaderCustody
  // Used by the thread, and by the one that ends the output only while the thread hangs in a call of the sink or
  // has ended.
  private nonisolated(unsafe) let sink: any Sink
  private let options: Options

  /// How the thread deals with its sink.
  public struct Options: Sendable {
    /// Whether a sink that fails is tried again until it works, instead of the output having failed.
    public var triesAgain: Bool
    /// What tells the thread the time.
    public var clock: @Sendable () -> Moment
    /// Told, in one line, that a sink has failed or works again; called on the output's thread.
    public var warn: @Sendable (String) -> Void
    /// Where it notes how far it is, for another run; nil if there is no checkpoint.
    public var journal: OutputJournal?
    /// What has the output go on in place of threads of its own; nil if these do.
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

  /// The end of the spool that entries are rendered into; there is one.
  public func makeWriter() -> SpoolWriter { spool.makeWriter() }

  /// Why the output has failed; nil while it has not, which costs one load to know.
  public var failure: SystemError? { state.failure }

  /// The numbers of the spool.
  public var usage: SpoolUsage { spool.usage }

  /// The numbers so far.
  ///
  /// Exact once the thread has ended; until then what is on its way counts as undelivered.
  public var report: OutputReport {
    // First what has become of entries, then how many there are: what moves meanwhile may count as undelivered,
    // but never twice.
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

  /// In front of which sequence all entries are settled, and noted as such, or on the spool's disk, so that none of them
  /// need be made again; for any thread.
  public var settledThrough: Int {
    let settled = options.journal?.settledThrough ?? progress.settledThrough
    return spool.options.disk?.keepsUp == true ? max(settled, spool.storedThrough) : settled
  }

  /// How far the sink has come.
  public var progress: OutputProgress { state.progress }

  /// What was given up so far for one cause.
  public func givenUp(_ cause: GivenUp.Cause) -> Tally { state.tallies.givenUp[cause] }

  /// Asks the sink to let go of its target and open it again by its name.
  public func requestReopen() { request(.reopen) }

  /// Asks the sink to hand on what it still holds, such as an incomplete gzip member.
  public func requestFlush() { request(.flush) }

  /// Lets the writer wait for room no longer, if it ever does: what finds none from now on is dropped.
  public func endWaiting() { spool.endWaiting() }

  /// Says that no more entries will come; the same as finishing the writer.
  public func finish() { spool.finish() }

  /// Waits until everything is delivered, but no longer than this.
  ///
  /// Then the thread is stopped, and the report is exact. A thread that hangs in its sink is left behind; what it
  /// has not delivered is put on the spool's disk without it, if there is one, also within that time. Called once,
  /// after `finish`.
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
      // It is putting on disk what is left.
      waitWhileKeeping(state.end)
    }
    if state.end.isAnnounced { pthread_join(thread, nil) } else { pthread_detach(thread) }
    return report
  }

  /// The same without a thread.
  private func driveToEnd(nanoseconds: Int64) -> OutputReport {
    let start = options.clock().steadyNanoseconds
    while !state.end.isAnnounced, let driver = options.driver {
      if !driver.goOn() || options.clock().steadyNanoseconds - start >= nanoseconds { request(.stop) }
    }
    return report
  }

  /// How long a thread gets to notice that it should stop.
  private static let stopNanoseconds: Int64 = 1_000_000_000
  /// How long a disk may take for a step of putting away what is left.
  private static let stepNanoseconds: Int64 = 2_000_000_000
  /// How many nanoseconds a disk takes for a byte, if it isn't a slow one.
  private static let nanosecondsPerByte: Int64 = 5

  /// How much time must be left for putting away what waits.
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

  /// Puts what the thread has not delivered on disk, on another thread, as that may hang as well.
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
