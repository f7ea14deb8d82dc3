public import Checkpoints
import Glibc
public import Platform
public import Spool

/// Where an output's entries end up; as slow or as broken as it likes.
///
/// A sink belongs to one writer thread and is called from there only, `tick` before anything else
/// whenever the thread has woken. After an error it must be fit to be called again: the same is tried
/// once more a little later, unless the error is final.
public protocol Sink: AnyObject {
  /// The name for messages: a file's path, or something like `standard output`.
  var name: String { get }

  /// What the entries are that it takes; its spool's are the same.
  var content: EntryContent { get }

  /// In front of which place all entries that were taken are where they have to be, and stay there after a crash,
  /// or were given up; nil if that is so with all that were taken.
  ///
  /// What lies behind it, such as the entries of a compressed member that is still in memory, is lost should the
  /// sink fail for good.
  var settled: SpoolPlace? { get }

  /// Where in what it has made the last settled entry ends, if it makes something that lasts.
  ///
  /// As `settled`, it holds between any two calls.
  var place: OutputPlace? { get }

  /// How it stood when it was opened, if it has found out what became of what an earlier run had noted.
  var resumed: OutputStanding? { get }

  /// The entries behind `settled`, if they can be had as they were, in runs that follow one another: for the next run,
  /// should this one end.
  ///
  /// Asked for by another thread if the sink hangs in one of its calls.
  var unsettledEntries: [EntryRun]? { get }

  /// What was given up since the last call.
  func takeGivenUp() -> [GivenUp]

  /// Told before anything else, if there is a checkpoint: a sink that writes files says there what it is about to write.
  func keep(_ journal: OutputJournal)

  /// A descriptor that becomes readable when the sink has something to do in `tick`.
  var wakeDescriptor: Int32? { get }

  /// Takes the first bytes of a batch, as many as it can without waiting for a consumer.
  ///
  /// What it takes it takes for good: an error means that nothing of this batch was taken.
  func write(_ batch: EntryBatch, at now: Moment) throws(SystemError) -> SinkProgress

  /// Finishes what is taken and not settled.
  func flush(at now: Moment) throws(SystemError)

  /// Does what is due by the clock or by size.
  /// - Returns: In how many nanoseconds it wants to be called again; nil, if not by the clock.
  func tick(at now: Moment) throws(SystemError) -> Int64?

  /// Lets go of the target and takes it up again by its name, for a rotation by another process.
  func reopen(at now: Moment) throws(SystemError)

  /// Finishes what is taken and not settled, and lets go of the target.
  /// - Returns: What must happen before it is called again; nil if that is done.
  func close(at now: Moment) throws(SystemError) -> SinkProgress.Obstacle?

  /// Lets go of the target at once, even if entries aren't settled; the last call of all, closed or not.
  func abandon()
}

extension Sink {
  /// Lines, without any in front of them.
  public var content: EntryContent { .lines() }

  /// Nil: what is sent to a consumer is no place to go back to.
  public var place: OutputPlace? { nil }

  /// Nil: it goes on as was noted.
  public var resumed: OutputStanding? { nil }

  /// Nil: most sinks hand everything on at once.
  public var settled: SpoolPlace? { nil }

  /// None.
  public var unsettledEntries: [EntryRun]? { nil }

  /// Nothing.
  public func takeGivenUp() -> [GivenUp] { [] }

  /// Does nothing: how far the sink is will be noted by the thread that calls it.
  public func keep(_ journal: OutputJournal) {}

  /// None.
  public var wakeDescriptor: Int32? { nil }

  /// Does nothing.
  public func flush(at now: Moment) throws(SystemError) {}

  /// Does nothing, and wants no other call.
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
  /// What must happen before there is any use in offering more.
  public enum Obstacle: Sendable, Equatable {
    /// This descriptor becomes writable.
    case unwritable(Int32)
    /// The time comes that `tick` has named, or the sink's `wakeDescriptor` becomes readable.
    case absent
  }

  /// How many bytes were taken, be it up to the middle of an entry.
  public var byteCount: Int
  /// What keeps it from taking more; nil if nothing does.
  public var obstacle: Obstacle?

  /// Bytes taken, and what to wait for.
  public init(byteCount: Int, obstacle: Obstacle? = nil) {
    self.byteCount = byteCount
    self.obstacle = obstacle
  }
}
