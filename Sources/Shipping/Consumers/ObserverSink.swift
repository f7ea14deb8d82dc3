public import Platform
public import Spool

/// What looks at the entries of an output inside of this process, such as a table of the most frequent addresses.
///
/// Entries come from the output's thread only. However long it takes, the log is read meanwhile, and the entries wait in the
/// spool; what finds no room there is counted as of any other output.
public protocol EntryObserver: AnyObject, Sendable {
  /// The name for messages.
  var name: String { get }

  /// What it has that no other output can have at the same time, such as a port, as messages call it.
  var exclusiveNames: [String] { get }

  /// Directories in which it makes and replaces files.
  var writableDirectories: [String] { get }

  /// Takes what it will need, before the process is limited to what its run needs; it may be called again after `end`.
  func open() throws(SystemError)

  /// Starts what goes on beside the run; called before the first entry, when threads that are started are limited as the
  /// process is.
  func begin()

  /// Learns what the entries are, if they are records of a log and not lines; before the first of them.
  func prepare(for kind: BinaryKind)

  /// Looks at whole entries, which are gone after the call.
  func observe(_ batch: EntryBatch)

  /// Told by the reading thread that the run is to end: what it waits for, it should wait for no longer.
  func hurry()

  /// Lets go of what it has: no more entries come, in this run or until it is opened again.
  func end()

  /// Told by the reading thread when the run is over, and all that became of it is known.
  func finish()
}

extension EntryObserver {
  /// Nothing.
  public var exclusiveNames: [String] { [] }

  /// None.
  public var writableDirectories: [String] { [] }

  /// Does nothing.
  public func open() throws(SystemError) {}

  /// Does nothing.
  public func begin() {}

  /// Lines need nothing.
  public func prepare(for kind: BinaryKind) {}

  /// Does nothing.
  public func hurry() {}

  /// Does nothing.
  public func end() {}

  /// Does nothing.
  public func finish() {}
}

/// The target of an output whose entries are looked at and not kept.
final class ObserverSink: Sink {
  private let observer: any EntryObserver
  let content: EntryContent
  private var hasBegun = false
  /// What the observer hasn't been told yet.
  private var untold: BinaryContent?

  init(_ observer: any EntryObserver, _ content: EntryContent) {
    self.observer = observer
    self.content = content
    untold = content.binary
  }

  var name: String { observer.name }

  /// The first thing that is called by the output's own thread.
  func tick(at now: Moment) -> Int64? {
    if !hasBegun { observer.begin() }
    hasBegun = true
    return nil
  }

  func write(_ batch: EntryBatch, at now: Moment) -> SinkProgress {
    if let kind = untold?.current {
      observer.prepare(for: kind)
      untold = nil
    }
    observer.observe(batch)
    return SinkProgress(byteCount: batch.byteCount)
  }

  func abandon() { observer.end() }
}

/// An observer as the target of an output; one that does the same is another.
public struct ObserverTarget: Sendable, Equatable {
  /// What looks at the entries.
  public let observer: any EntryObserver

  /// Names what looks at the entries.
  public init(_ observer: any EntryObserver) { self.observer = observer }

  /// Makes the sink, once the observer has what it needs.
  ///
  /// - Parameter content: what its entries are.
  public func makeSink(_ content: EntryContent) throws(SystemError) -> sending any Sink {
    try observer.open()
    return ObserverSink(observer, content)
  }

  /// Whether both are the same object.
  public static func == (one: ObserverTarget, other: ObserverTarget) -> Bool {
    one.observer === other.observer
  }
}
