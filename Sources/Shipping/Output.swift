import Glibc

/// One output: a spool, a sink, and the thread that carries records from one to the other.
///
/// The sink may stall or break; nobody who holds an output ever waits for it, except in `join`. The
/// thread exists from the beginning, so an output is made after a process has gone into the
/// background.
public final class Output: Sendable {
  /// The name for messages.
  public let name: String

  let spool: Spool
  private let state: OutputState
  private let thread: pthread_t

  /// How the thread deals with its sink.
  public struct Options: Sendable {
    /// Whether a sink that fails is tried again until it works, instead of the output having failed.
    public var triesAgain: Bool
    /// What tells the thread the time.
    public var clock: @Sendable () -> Moment
    /// Told, in one line, that a sink has failed or works again; called on the output's thread.
    public var warn: @Sendable (String) -> Void

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
  /// - Parameter sink: Where the records end up; from here on it belongs to the thread.
  /// - Throws: `SpoolError` when memory, descriptors or threads are exhausted.
  public convenience init(
    to sink: sending any Sink, spool: Spool.Options = Spool.Options(), options: Options = Options()
  ) throws(SpoolError) {
    try self.init(to: sink, spool: Spool(spool), options: options)
  }

  init(to sink: sending any Sink, spool: Spool, options: Options) throws(SpoolError) {
    name = sink.name
    self.spool = spool
    do {
      state = OutputState(end: ThreadEnd(try WakeEvent(.real)))
    } catch {
      throw SpoolError(operation: "descriptor to wake a thread", errno: error)
    }
    do {
      try spool.startSpiller()
      thread = try OutputThread.start(
        OutputLoop(reader: spool.makeReader(), sink: sink, state: state, options: options))
    } catch {
      _ = spool.stopSpiller()
      throw SpoolError(operation: "thread for \(name)", errno: error)
    }
  }

  /// The end of the spool that records are rendered into; there is one.
  public func makeWriter() -> SpoolWriter { spool.makeWriter() }

  /// Why the output has failed; nil while it has not, which costs one load to know.
  public var failure: SinkError? { state.failure }

  /// The numbers of the spool.
  public var usage: SpoolUsage { spool.usage }

  /// The numbers so far.
  ///
  /// Exact once the thread has ended; until then what is on its way counts as undelivered.
  public var report: OutputReport {
    // In the reverse of the order in which they are stored: what moves from one to another meanwhile may count
    // as undelivered, but never twice.
    let unconfirmed = state.unconfirmed.value
    let dropped = state.dropped.value + state.abandoned.value
    let written = state.written.value
    let usage = spool.usage
    let settled = written + unconfirmed + dropped + usage.damaged + usage.kept
    return OutputReport(
      inherited: usage.inherited, written: written, droppedByOverflow: usage.droppedRecords,
      unconfirmed: unconfirmed, droppedByFailure: dropped, droppedByDamage: usage.damaged, kept: usage.kept,
      undelivered: usage.inherited + usage.committed - settled, failure: failure)
  }

  /// Asks the sink to let go of its target and open it again by its name.
  public func requestReopen() { request(.reopen) }

  /// Asks the sink to hand on what it still holds, such as an incomplete gzip member.
  public func requestFlush() { request(.flush) }

  /// Lets the writer wait for room no longer, if it ever does: what finds none from now on is dropped.
  public func endWaiting() { spool.endWaiting() }

  /// Says that no more records will come; the same as finishing the writer.
  public func finish() { spool.finish() }

  /// Waits until everything is delivered, but no longer than this.
  ///
  /// Then the thread is stopped, and the report is exact; only if it hangs in a system call that
  /// cannot be ended it is left behind. Called once, after `finish`.
  public func join(drainSeconds: Double) -> OutputReport {
    let nanoseconds = Int64(min(max(0, drainSeconds), 1e9) * 1e9)
    if state.end.wait(nanoseconds: nanoseconds) {
      pthread_join(thread, nil)
      return report
    }
    request(.stop)
    // What wasn't delivered may have to be put on disk, all of it.
    let stopNanoseconds = spool.disk == nil ? Self.stopNanoseconds : Self.keepNanoseconds
    if state.end.wait(nanoseconds: stopNanoseconds) {
      pthread_join(thread, nil)
    } else {
      pthread_detach(thread)
    }
    return report
  }

  /// How long a thread gets to notice that it should stop.
  private static let stopNanoseconds: Int64 = 250_000_000
  private static let keepNanoseconds: Int64 = 60_000_000_000

  /// Waits until the thread has ended or a descriptor, such as a signalfd, becomes readable.
  ///
  /// - Returns: whether the thread has ended; then `join` doesn't wait.
  public func waitForEnd(or descriptor: Int32) -> Bool { state.end.wait(or: descriptor) }

  private func request(_ command: OutputState.Commands) {
    state.request(command)
    spool.consumerWake.signal()
  }
}
