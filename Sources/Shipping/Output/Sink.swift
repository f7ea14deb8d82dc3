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

  /// In front of which place all entries that were taken are where they have to be, and stay there after a crash,
  /// or were given up; nil if that is so with all that were taken.
  ///
  /// What lies behind it, such as the entries of a compressed member that is still in memory, is lost should the
  /// sink fail for good.
  var settled: SpoolPlace? { get }

  /// The entries behind `settled`, if they can be had as they were: for the next run, should this one end.
  ///
  /// Asked for by another thread if the sink hangs in one of its calls.
  var unsettledEntries: EntryList? { get }

  /// What was given up since the last call.
  func takeGivenUp() -> [GivenUp]

  /// A descriptor that becomes readable when the sink has something to do in `tick`.
  var wakeDescriptor: Int32? { get }

  /// Takes the first bytes of a batch, as many as it can without waiting for a consumer.
  ///
  /// Whatever it takes it takes for good: an error means that nothing of this batch was taken.
  func write(_ batch: EntryBatch, at now: Moment) throws(SinkError) -> SinkProgress

  /// Finishes what is taken and not settled.
  func flush(at now: Moment) throws(SinkError)

  /// Does what is due by the clock or by size.
  /// - Returns: In how many nanoseconds it wants to be called again; nil, if not by the clock.
  func tick(at now: Moment) throws(SinkError) -> Int64?

  /// Lets go of the target and takes it up again by its name, for a rotation by somebody else.
  func reopen(at now: Moment) throws(SinkError)

  /// Finishes what is taken and not settled, and lets go of the target.
  /// - Returns: What must happen before it is called again; nil if that is done.
  func close(at now: Moment) throws(SinkError) -> SinkProgress.Obstacle?

  /// Lets go of the target at once, whatever isn't settled; the last call of all, closed or not.
  func abandon()
}

extension Sink {
  /// Nil: most sinks hand everything on at once.
  public var settled: SpoolPlace? { nil }

  /// None.
  public var unsettledEntries: EntryList? { nil }

  /// Nothing.
  public func takeGivenUp() -> [GivenUp] { [] }

  /// None.
  public var wakeDescriptor: Int32? { nil }

  /// Does nothing.
  public func flush(at now: Moment) throws(SinkError) {}

  /// Does nothing, and wants no other call.
  public func tick(at now: Moment) throws(SinkError) -> Int64? { nil }

  /// Does nothing.
  public func reopen(at now: Moment) throws(SinkError) {}

  /// Does nothing.
  public func close(at now: Moment) throws(SinkError) -> SinkProgress.Obstacle? { nil }

  /// Does nothing.
  public func abandon() {}
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
