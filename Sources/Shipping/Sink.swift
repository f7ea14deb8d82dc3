/// Where an output's records end up; as slow or as broken as it likes.
///
/// A sink belongs to one writer thread and is called from there only, `tick` before anything else
/// whenever the thread has woken. An error ends the output.
public protocol Sink: AnyObject {
  /// The name for messages: a file's path, or something like `standard output`.
  var name: String { get }

  /// What has been taken but could not be read at the other end yet, such as the records of a
  /// compressed member that is still in memory. Should the sink fail, these are lost.
  var unfinished: Tally { get }

  /// Takes the first bytes of a batch, as many as it can without waiting for a consumer.
  ///
  /// Whatever it takes it takes for good: an error means that nothing of this batch was taken.
  func write(_ batch: RecordBatch, at now: Moment) throws(SinkError) -> SinkProgress

  /// Finishes what is `unfinished`.
  func flush(at now: Moment) throws(SinkError)

  /// Does what is due by the clock or by size.
  /// - Returns: In how many nanoseconds it wants to be called again; nil, if not by the clock.
  func tick(at now: Moment) throws(SinkError) -> Int64?

  /// Lets go of the target and takes it up again by its name, for a rotation by somebody else.
  func reopen(at now: Moment) throws(SinkError)

  /// Finishes what is `unfinished` and lets go of the target.
  func close(at now: Moment) throws(SinkError)
}

extension Sink {
  /// Nothing: most sinks hand everything on at once.
  public var unfinished: Tally { .zero }

  /// Does nothing.
  public func flush(at now: Moment) throws(SinkError) {}

  /// Does nothing, and wants no other call.
  public func tick(at now: Moment) throws(SinkError) -> Int64? { nil }

  /// Does nothing.
  public func reopen(at now: Moment) throws(SinkError) {}

  /// Does nothing.
  public func close(at now: Moment) throws(SinkError) {}
}

/// How much of a batch a sink has taken.
public struct SinkProgress: Sendable, Equatable {
  /// How many bytes were taken, be it up to the middle of a record.
  public var byteCount: Int
  /// A descriptor that must become writable before there is any use in offering more.
  public var blockedDescriptor: Int32?

  /// Bytes taken, and what to wait for.
  public init(byteCount: Int, blockedDescriptor: Int32? = nil) {
    self.byteCount = byteCount
    self.blockedDescriptor = blockedDescriptor
  }
}
