import Compression
@testable import Checkpoints
import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// The state that is noted in the checkpoint before a file is written to, from which the next run can tell
/// what is in the file.
@Suite struct FileJournalTests: FileSinkSuite {
  let directory = TemporaryDirectory()
  let home = TemporaryDirectory()
  let warnings = Collected<String>()

  /// The states that were in the checkpoint before each write.
  private final class Watch: Sendable {
    let checkpoint: String
    let noted = Collected<OutputStanding>()

    init(_ checkpoint: String) { self.checkpoint = checkpoint }

    var system: SystemCalls {
      SystemCalls { [self] call in
        guard call == .write, let found = try? CheckpointFile.read(checkpoint).0.outputs.first else {
          return nil
        }
        noted.append(found.standing)
        return nil
      }
    }
  }

  private func watched(_ configure: (inout FileOptions) -> Void) throws -> (JournaledSink, Watch) {
    let watch = Watch(home.file("checkpoint"))
    return (try JournaledSink(try sink(system: watch.system, configure), watch.checkpoint), watch)
  }

  /// Expects that a state announces a write which lengthens the file from `byteCount` to its present size and
  /// completes all entries up to `place`.
  private func expect(
    _ noted: OutputStanding?, from byteCount: Int, through place: UInt64,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let noted = try #require(noted, sourceLocation: sourceLocation)
    let status = status("access.log")
    #expect(noted.place?.file == FileIdentity(status), sourceLocation: sourceLocation)
    #expect(noted.place?.byteCount == byteCount, sourceLocation: sourceLocation)
    #expect(noted.pending?.byteCount == Int(status.st_size), sourceLocation: sourceLocation)
    #expect(noted.pending?.done.place == place, sourceLocation: sourceLocation)
  }

  @Test func `each write is noted with the length that the file will have`() throws {
    let (writing, watch) = try watched { _ in }
    try writing.write("one")
    try expect(watch.noted.all.last, from: 0, through: 1)
    try writing.write("two")
    try expect(watch.noted.all.last, from: 4, through: 2)
    let after = try writing.standing()
    #expect(after.pending == nil && after.done.place == 2 && after.place?.byteCount == 8)
  }

  @Test func `a member is noted with all entries in it, and is done as soon as it is written`() throws {
    let (writing, watch) = try watched { $0.compression = .gzip(level: 6) }
    let empty = try #require(writing.sink.place).byteCount
    try writing.write("one")
    try writing.write("two")
    #expect(try writing.standing().done == .start)
    try writing.sink.flush(at: .test)
    try expect(watch.noted.all.last, from: empty, through: 2)
    #expect(try writing.standing().done.place == 2)
  }

  @Test func `what is written again behind a deletion is noted of the new file`() throws {
    let (writing, watch) = try watched { _ in }
    try writing.write("one")
    unlink(directory.file("access.log"))
    try writing.write("two")
    #expect(directory.text("access.log") == "two\n")
    try expect(watch.noted.all.last, from: 0, through: 2)
  }

  @Test func `what is written behind an emptying is noted behind the new beginning`() throws {
    let (writing, watch) = try watched { $0.content = .lines(header: Array("# fields\n".utf8)) }
    try writing.write("one")
    truncate(directory.file("access.log"), 0)
    try writing.write("two")
    #expect(directory.text("access.log") == "# fields\ntwo\n")
    try expect(watch.noted.all.last, from: 9, through: 2)
  }

  @Test func `part of an entry that couldn't be cut off is cut by the next run`() throws {
    let faults = FaultPlan { call, count in
      switch call {
      case .write: count == 1 ? nil : count == 2 ? .short(4) : .fail(ENOSPC)
      case .ftruncate: .fail(EIO)
      default: nil
      }
    }
    let writing = try JournaledSink(try sink(system: faults.system), home.file("checkpoint"))
    try writing.write("one")
    #expect(throws: SystemError.self) { try writing.write("two\nlines of one entry") }
    #expect(directory.text("access.log") == "one\ntwo\n", "which looks like two whole lines")
    let resumption = FileResumption(try writing.standing(), canRepeat: true)
    let next = try FileSink(
      FileOptions(path: directory.file("access.log")), resuming: resumption, at: .test, system: .real
    ) { [warnings] in warnings.append($0) }
    #expect(next.resumed?.done.place == 1)
    #expect(directory.text("access.log") == "one\n")
  }
}
