public import Platform
public import Spool

/// An observer of an output's entries inside this process, such as a table of the most frequent addresses.
///
/// It gets entries on the output's thread only. However long it takes, the log is read meanwhile, and the
/// entries wait in the spool; entries that find no room there are counted as those of any other output.
public protocol EntryObserver: AnyObject, Sendable {
  /// The name for messages.
  var name: String { get }

  /// Resources of the observer that no other output can have at the same time, such as a port, as named in
  /// messages.
  var exclusiveNames: [String] { get }

  /// The directories in which the observer makes and replaces files.
  var writableDirectories: [String] { get }

  /// Acquires what the observer will need, before the process gives up rights; may be called again after
  /// `end`.
  func open() throws(SystemError)

  /// Starts the observer's own threads; called before the first entry, once new threads are limited as the
  /// process is.
  func begin()

  /// Tells what the entries are, if they are records of a log and not lines; called before the first entry.
  func prepare(for kind: BinaryKind)

  /// Looks at whole entries, which are gone after the call.
  func observe(_ batch: EntryBatch)

  /// Called by the reading thread when the run is to end: the observer should stop waiting for anything.
  func hurry()

  /// Releases the observer's resources: no more entries come, in this run or until it is opened again.
  func end()

  /// Called by the reading thread when the run is over and all its results are known.
  func finish()
}

extension EntryObserver {
  /// No resources.
  public var exclusiveNames: [String] { [] }

  /// No directories.
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

/// The sink of an output whose entries are observed and not kept.
final class ObserverSink: Sink {
  private let observer: any EntryObserver
  let content: EntryContent
  private var hasBegun = false
  /// What the entries are, if the observer hasn't been told yet.
  private var untold: BinaryContent?

  init(_ observer: any EntryObserver, _ content: EntryContent) {
    self.observer = observer
    self.content = content
    untold = content.binary
  }

  var name: String { observer.name }

  /// The first call on the output's own thread.
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

/// An observer as the target of an output; equal only to a target with the same object.
public struct ObserverTarget: Sendable, Equatable {
  /// The observer.
  public let observer: any EntryObserver

  /// Makes a target of an observer.
  public init(_ observer: any EntryObserver) { self.observer = observer }

  /// Opens the observer and makes its sink.
  ///
  /// - Parameter content: what the entries are.
  public func makeSink(_ content: EntryContent) throws(SystemError) -> sending any Sink {
    try observer.open()
    return ObserverSink(observer, content)
  }

  /// Whether both are the same object.
  public static func == (one: ObserverTarget, other: ObserverTarget) -> Bool {
    one.observer === other.observer
  }
}
