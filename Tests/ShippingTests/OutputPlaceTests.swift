import Checkpoints
import Compression
import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// The place in its files at which, according to the sink, the last settled entry ends.
@Suite struct OutputPlaceTests: FileSinkSuite {
  let directory = TemporaryDirectory()
  let warnings = Collected<String>()

  /// The place at the end of a file.
  private func end(of name: String, number: Int64) -> OutputPlace {
    let status = status(name)
    return OutputPlace(file: FileIdentity(status), number: number, byteCount: Int(status.st_size))
  }

  @Test func `a plain file's place is its end, behind its header and every line`() throws {
    let sink = try sink { $0.content = .lines(header: Array("# fields\n".utf8)) }
    #expect(sink.place == end(of: "access.log", number: 0))
    #expect(sink.place?.byteCount == 9)
    try sink.take(["one", "two"])
    #expect(sink.settled == nil)
    #expect(sink.place == end(of: "access.log", number: 0))
    #expect(sink.place?.byteCount == 17)
    _ = try sink.close(at: .test)
    #expect(sink.place == end(of: "access.log", number: 0), "also when it is closed")
  }

  @Test func `a compressed file's place is behind its last whole member`() throws {
    let sink = try sink { $0.compression = .gzip(level: 6) }
    let empty = try #require(sink.place)
    #expect(empty == end(of: "access.log", number: 0))
    try sink.take(["one", "two"])
    #expect(sink.settled?.sequence == 0)
    #expect(sink.place == empty, "what waits in memory isn't there")
    try sink.flush(at: .test)
    #expect(sink.settled == nil)
    #expect(sink.place == end(of: "access.log", number: 0))
    #expect(try #require(sink.place).byteCount > empty.byteCount)
    let place = try #require(sink.place)
    // Cut at this place, the file is whole.
    try sink.take(["three"])
    _ = try sink.close(at: .test)
    #expect(truncate(directory.file("access.log"), place.byteCount) == 0)
    #expect(directory.unzipped("access.log") == ("one\ntwo\n", true))
  }

  @Test func `each file of a series has a larger number, and is known by any name`() throws {
    let sink = try sink { $0.rotateBytes = 12 }
    try sink.take(["one", "two"])
    let first = try #require(sink.place)
    #expect(first.number > 0 && first.byteCount == 8)
    try sink.take(["three"])
    let second = try #require(sink.place)
    #expect(second.number > first.number)
    #expect(second.file != first.file)
    #expect(second == end(of: "access.log", number: second.number))
    #expect(second.byteCount == 0, "the third line has filled the first file")
    let finished = end(of: "access.log.\(stamp())", number: first.number)
    #expect(finished.file == first.file && finished.byteCount == 14)
  }

  @Test func `a file that was deleted is no place any more`() throws {
    let sink = try sink()
    try sink.take(["one"])
    #expect(unlink(directory.file("access.log")) == 0)
    try sink.take(["two"])
    #expect(sink.place == end(of: "access.log", number: 0))
    #expect(sink.place?.byteCount == 4)
  }

  @Test(arguments: [nil, 6])
  func `an output tells the place together with the sequence that it belongs to`(level: Int?) throws {
    var options = FileOptions(path: directory.file("access.log"))
    options.compression = level.map { .gzip(level: $0) }
    let checkpoint = directory.file("checkpoint")
    let part = try CheckpointFile(checkpoint).makeOutputPart("file")
    var outputOptions = Output.Options()
    outputOptions.journal = OutputJournal(part, from: OutputStanding(), startingAt: 0)
    let output = try Output(to: FileSink.open(options) { _ in }, options: outputOptions)
    var writer = output.makeWriter()
    for index in 0..<1000 { writer.append("line \(index)") }
    writer.finish()
    _ = output.join(drainSeconds: 60)
    let standing = try #require(try CheckpointFile.read(checkpoint).0.outputs.first).standing
    #expect(standing.sequence == 1000)
    #expect(standing.place == end(of: "access.log", number: 0))
  }
}
