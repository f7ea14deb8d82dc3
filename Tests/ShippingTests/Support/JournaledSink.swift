@testable import Checkpoints
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// A file output with a checkpoint, driven as by an output's thread.
final class JournaledSink {
  let sink: FileSink
  let journal: OutputJournal
  private let checkpointPath: String
  private let spool: Spool
  private var writer: SpoolWriter
  private var reader: SpoolReader
  private var place: UInt64 = 0

  /// - Parameter path: the path of the checkpoint.
  init(_ sink: FileSink, _ path: String) throws {
    self.sink = sink
    checkpointPath = path
    let part = try CheckpointFile(path).makeOutputPart("file")
    journal = OutputJournal(part, from: OutputStanding(), startingAt: 0)
    sink.keep(journal)
    spool = try Spool()
    writer = spool.makeWriter()
    reader = spool.makeReader()
  }

  private func settle() {
    journal.settle(through: sink.settled?.sequence ?? reader.place.sequence, at: sink.place)
  }

  /// - Returns: the seconds after which the sink wants to be called again.
  @discardableResult
  func tick(at now: Moment) throws -> Double? {
    let wait = try sink.tick(at: now)
    settle()
    return wait.map { Double($0) / 1e9 }
  }

  /// Writes an entry, which must end in a newline.
  ///
  /// Its mark is its number, from 1 on.
  func write(_ text: String, at now: Moment = .test) throws {
    try tick(at: now)
    let bytes = Array((text + "\n").utf8)
    guard case .room(let room) = writer.reserve(bytes.count) else { return }
    room.copyBytes(from: bytes)
    place += 1
    writer.commit(bytes.count, EntryMark(place: place, ordinal: 0))
    writer.publish()
    let batch = try #require(try reader.next())
    journal.begin(batch)
    defer {
      journal.end(at: reader.place.sequence)
      settle()
    }
    reader.take(try sink.write(batch, at: now).byteCount)
  }

  /// The output's state in the checkpoint.
  func standing() throws -> OutputStanding {
    try #require(try CheckpointFile.read(checkpointPath).0.outputs.first).standing
  }

  /// The noted state of the disk: the place in front of which all is done, and the length of the file.
  func synced() throws -> (done: UInt64, byteCount: Int)? {
    let standing = try CheckpointFile.read(checkpointPath).0.outputs.first?.synced
    guard let standing, let place = standing.place else { return nil }
    // As the next run would take it: a pending write counts as done.
    guard let pending = standing.pending else { return (standing.done.place, place.byteCount) }
    return (pending.done.place, pending.byteCount)
  }
}
