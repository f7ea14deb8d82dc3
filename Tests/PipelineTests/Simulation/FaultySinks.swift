import Checkpoints
import Platform
import Shipping
import Spool

/// A sink that forwards every call to another sink.
class ForwardingSink: Sink {
  let base: any Sink
  private(set) var journal: OutputJournal?

  init(_ base: any Sink) { self.base = base }

  var name: String { base.name }
  var content: EntryContent { base.content }
  var settled: SpoolPlace? { base.settled }
  var place: OutputPlace? { base.place }
  var resumed: OutputStanding? { base.resumed }
  var unsettledEntries: [EntryRun]? { base.unsettledEntries }
  var wakeDescriptor: Int32? { base.wakeDescriptor }

  func takeGivenUp() -> [GivenUp] { base.takeGivenUp() }

  func keep(_ journal: OutputJournal) {
    self.journal = journal
    base.keep(journal)
  }

  func write(_ batch: EntryBatch, at now: Moment) throws(SystemError) -> SinkProgress {
    try base.write(batch, at: now)
  }

  func flush(at now: Moment) throws(SystemError) { try base.flush(at: now) }
  func tick(at now: Moment) throws(SystemError) -> Int64? { try base.tick(at: now) }
  func reopen(at now: Moment) throws(SystemError) { try base.reopen(at: now) }
  func close(at now: Moment) throws(SystemError) -> SinkProgress.Obstacle? { try base.close(at: now) }
  func abandon() { base.abandon() }
}

/// Notes entries as settled before it has written them.
final class NotingEarly: ForwardingSink {
  override func write(_ batch: EntryBatch, at now: Moment) throws(SystemError) -> SinkProgress {
    journal?.settle(through: batch.start.sequence + batch.count, at: place)
    return try super.write(batch, at: now)
  }
}

/// Reports entries as settled that are still in an unfinished compressed member.
final class SettlingEarly: ForwardingSink {
  override var settled: SpoolPlace? { nil }
}

/// Counts the bytes added last to the file twice.
final class CountingTwice: ForwardingSink {
  private var last: OutputPlace?
  private var grownByteCount = 0

  override var place: OutputPlace? {
    guard var place = base.place else { return nil }
    if let last, last.file == place.file {
      if place.byteCount > last.byteCount { grownByteCount = place.byteCount - last.byteCount }
    } else {
      grownByteCount = 0
    }
    last = place
    place.byteCount += grownByteCount
    return place
  }
}

/// Notes one more entry than it has written.
final class NotingOneMore: ForwardingSink {
  override func write(_ batch: EntryBatch, at now: Moment) throws(SystemError) -> SinkProgress {
    guard batch.count > 1 else { return try super.write(batch, at: now) }
    let progress = try super.write(batch.prefix(batch.count - 1), at: now)
    if progress.byteCount == batch.endOffset(of: batch.count - 2) {
      journal?.settle(through: batch.start.sequence + batch.count, at: place)
    }
    return progress
  }
}
