public import Checkpoints
import Glibc
public import Platform
public import Spool

/// The destination of an output's entries, which may be slow or fail.
///
/// A sink belongs to the output's thread and is called on it only, `tick` before anything else whenever the
/// thread has woken. After an error it must be ready to be called again: the same call is repeated a little
/// later, unless the error is final.
public protocol Sink: AnyObject {
  /// The name for messages: a file's path, or something like `standard output`.
  var name: String { get }

  /// What the entries are that the sink takes; its spool's are the same.
  var content: EntryContent { get }

  /// The place in front of which all entries are settled or given up; nil if that holds for all that were
  /// taken.
  ///
  /// Entries behind it, such as those of a compressed member that is still in memory, are lost if the sink
  /// fails for good.
  var settled: SpoolPlace? { get }

  /// Where the last settled entry ends in the file, if the sink writes one.
  ///
  /// As `settled`, it holds between any two calls.
  var place: OutputPlace? { get }

  /// The standing when the sink was opened, if it has determined what became of an earlier run's notes.
  var resumed: OutputStanding? { get }

  /// The entries behind `settled` as they were rendered, in runs that follow one another, for the next run;
  /// nil if the sink doesn't have them.
  ///
  /// Read by another thread if the sink hangs in one of its calls.
  var unsettledEntries: [EntryRun]? { get }

  /// Returns the entries given up since the last call.
  func takeGivenUp() -> [GivenUp]

  /// Gives the sink a checkpoint's journal, before any other call: a sink that writes files notes there what
  /// it is about to write.
  func keep(_ journal: OutputJournal)

  /// A descriptor that becomes readable when the sink has something to do in `tick`.
  var wakeDescriptor: Int32? { get }

  /// Takes the first bytes of a batch, as many as it can without waiting for a consumer.
  ///
  /// Entries that were taken can't be offered again: an error means that nothing of this batch was taken.
  func write(_ batch: EntryBatch, at now: Moment) throws(SystemError) -> SinkProgress

  /// Settles the entries that were taken and are not settled.
  func flush(at now: Moment) throws(SystemError)

  /// Does what is due by the clock or by size.
  /// - Returns: In how many nanoseconds the next call is due; nil if no call is due by the clock.
  func tick(at now: Moment) throws(SystemError) -> Int64?

  /// Closes the target and opens it again by its name, for a rotation by another process.
  func reopen(at now: Moment) throws(SystemError)

  /// Settles the entries that were taken, and closes the target.
  /// - Returns: The obstacle that must be gone before the next call; nil if the sink is closed.
  func close(at now: Moment) throws(SystemError) -> SinkProgress.Obstacle?

  /// Closes the target at once, even if entries aren't settled; the last call of all, whether or not it was
  /// closed before.
  func abandon()
}

extension Sink {
  /// Lines, without a header.
  public var content: EntryContent { .lines() }

  /// Nil: a consumer has no place to go back to.
  public var place: OutputPlace? { nil }

  /// Nil: the sink continues as was noted.
  public var resumed: OutputStanding? { nil }

  /// Nil: most sinks hand everything on at once.
  public var settled: SpoolPlace? { nil }

  /// None.
  public var unsettledEntries: [EntryRun]? { nil }

  /// Nothing.
  public func takeGivenUp() -> [GivenUp] { [] }

  /// Does nothing: the output's thread notes the sink's progress.
  public func keep(_ journal: OutputJournal) {}

  /// None.
  public var wakeDescriptor: Int32? { nil }

  /// Does nothing.
  public func flush(at now: Moment) throws(SystemError) {}

  /// Does nothing, and asks for no further call.
  public func tick(at now: Moment) throws(SystemError) -> Int64? { nil }

  /// Does nothing.
  public func reopen(at now: Moment) throws(SystemError) {}

  /// Does nothing.
  public func close(at now: Moment) throws(SystemError) -> SinkProgress.Obstacle? { nil }

  /// Does nothing.
  public func abandon() {}
}

extension SystemError {
  /// Whether a sink that fails in this way has failed for good.
  var isFinal: Bool { isRefusal || code == EPIPE || code == ECONNRESET }
}

/// How much of a batch a sink has taken.
public struct SinkProgress: Sendable, Equatable {
  /// What must happen before the sink can take more.
  public enum Obstacle: Sendable, Equatable {
    /// This descriptor becomes writable.
    case unwritable(Int32)
    /// The time given by `tick` has come, or the sink's `wakeDescriptor` becomes readable.
    case absent
  }

  /// How many bytes were taken, possibly ending inside an entry.
  public var byteCount: Int
  /// What keeps the sink from taking more; nil if nothing does.
  public var obstacle: Obstacle?

  /// A number of bytes taken, and what to wait for.
  public init(byteCount: Int, obstacle: Obstacle? = nil) {
    self.byteCount = byteCount
    self.obstacle = obstacle
  }
}
