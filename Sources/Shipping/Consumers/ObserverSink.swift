import Platform
public import Spool

/// What looks at the entries of an output inside of this process, such as a table of the most frequent addresses.
///
/// Called by the output's thread only. However long it takes, the log is read meanwhile, and the entries wait in the
/// spool; what finds no room there is counted as of any other output.
public protocol EntryObserver: AnyObject, Sendable {
  /// The name for messages.
  var name: String { get }

  /// Learns what the entries are, if they are records of a log and not lines; before the first of them.
  func begin(_ kind: BinaryKind)

  /// Looks at whole entries, which are gone after the call.
  func observe(_ batch: EntryBatch)
}

extension EntryObserver {
  /// Lines need nothing.
  public func begin(_ kind: BinaryKind) {}
}

/// The target of an output whose entries are looked at and not kept.
final class ObserverSink: Sink {
  private let observer: any EntryObserver
  let content: EntryContent
  /// What the observer hasn't been told yet.
  private var untold: BinaryContent?

  init(_ observer: any EntryObserver, _ content: EntryContent) {
    self.observer = observer
    self.content = content
    untold = content.binary
  }

  var name: String { observer.name }

  func write(_ batch: EntryBatch, at now: Moment) -> SinkProgress {
    if let kind = untold?.current {
      observer.begin(kind)
      untold = nil
    }
    observer.observe(batch)
    return SinkProgress(byteCount: batch.byteCount)
  }
}

/// An observer as the target of an output; one that does the same is another.
public struct ObserverTarget: Sendable, Equatable {
  /// What looks at the entries.
  public let observer: any EntryObserver

  /// Names what looks at the entries.
  public init(_ observer: any EntryObserver) { self.observer = observer }

  /// Makes the sink.
  ///
  /// - Parameter content: what its entries are.
  public func makeSink(_ content: EntryContent) -> sending any Sink { ObserverSink(observer, content) }

  /// Whether both are the same object.
  public static func == (one: ObserverTarget, other: ObserverTarget) -> Bool {
    one.observer === other.observer
  }
}
