import Compression
@testable import Checkpoints
import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// The times at which written data are synchronised to disk, as shown by the system calls.
@Suite struct FileSyncTests: FileSinkSuite {
  let directory = TemporaryDirectory()
  let home = TemporaryDirectory()
  let warnings = Collected<String>()

  /// Records the calls that write to a file or synchronise it.
  private final class Recorder: Sendable {
    private let calls = Guarded<[SystemCalls.Call]>([])
    private let failing = Guarded(false)

    var system: SystemCalls {
      SystemCalls { [self] call in
        guard [.write, .fsync, .fdatasync].contains(call) else { return nil }
        calls.withLock { $0.append(call) }
        return call == .fdatasync && failing.withLock { $0 } ? .fail(EIO) : nil
      }
    }

    func fail(_ fails: Bool) { failing.withLock { $0 = fails } }

    /// The calls since the last call of this method.
    func take() -> [SystemCalls.Call] {
      calls.withLock { calls in
        defer { calls = [] }
        return calls
      }
    }
  }

  private let recorder = Recorder()

  private func writing(_ configure: (inout FileOptions) -> Void = { _ in }) throws -> JournaledSink {
    let writing = try JournaledSink(try sink(system: recorder.system, configure), home.file("checkpoint"))
    _ = recorder.take()
    return writing
  }

  private func after(_ seconds: Double) -> Moment { .test.later(seconds: seconds) }

  @Test(arguments: [nil, 6])
  func `without a checkpoint nothing is waited for`(level: Int?) throws {
    let sink = try sink(system: recorder.system) { $0.compression = level.map { .gzip(level: $0) } }
    for second in 0..<5 { try sink.take(["line"], at: after(Double(second))) }
    _ = try sink.close(at: after(5))
    #expect(recorder.take().allSatisfy { $0 == .write })
  }

  @Test func `with one it is once a second, if anything was written`() throws {
    let writing = try writing()
    #expect(try writing.tick(at: after(0)) == nil)
    #expect(recorder.take() == [.fsync, .fsync], "the file and its directory, before the first line")
    try writing.write("one", at: after(0.25))
    #expect(recorder.take() == [.write])
    #expect(try writing.tick(at: after(0.5)) == 0.5)
    try writing.write("two", at: after(0.75))
    #expect(recorder.take() == [.write])
    #expect(try #require(try writing.synced()) == (0, 0))
    #expect(try writing.tick(at: after(1)) == nil)
    #expect(recorder.take() == [.fdatasync])
    #expect(try #require(try writing.synced()) == (2, 8))
    try writing.tick(at: after(5))
    #expect(recorder.take() == [])
    try writing.write("three", at: after(6))
    #expect(recorder.take() == [.write, .fdatasync])
    #expect(try #require(try writing.synced()) == (3, 14))
  }

  @Test func `of a compressed file it is once a member is written`() throws {
    let writing = try writing { $0.compression = .gzip(level: 6) }
    try writing.tick(at: after(0))
    let empty = try #require(writing.sink.place).byteCount
    _ = recorder.take()
    try writing.write("one", at: after(0.5))
    try writing.tick(at: after(0.51))
    #expect(recorder.take() == [], "it waits in memory")
    try writing.tick(at: after(1.5))
    #expect(recorder.take() == [.write, .fdatasync])
    let synced = try #require(try writing.synced())
    #expect(synced.done == 1 && synced.byteCount > empty)
    #expect(synced.byteCount == writing.sink.place?.byteCount)
  }

  @Test func `the interval can be another`() throws {
    let writing = try writing { $0.sync = .interval(nanoseconds: 5_000_000_000) }
    try writing.tick(at: after(0))
    _ = recorder.take()
    try writing.write("one", at: after(1))
    #expect(try writing.tick(at: after(2)) == 3)
    #expect(recorder.take() == [.write])
    try writing.tick(at: after(5))
    #expect(recorder.take() == [.fdatasync])
  }

  @Test func `each batch is on the disk before it is done`() throws {
    let writing = try writing { $0.sync = .eachBatch }
    try writing.tick(at: after(0))
    _ = recorder.take()
    for number in 1...3 {
      try writing.write("line", at: after(0))
      #expect(recorder.take() == [.write, .fdatasync])
      #expect(try #require(try writing.synced()) == (UInt64(number), 5 * number))
    }
  }

  @Test func `never is never`() throws {
    let writing = try writing { $0.sync = .never }
    for second in 0..<5 { try writing.write("line", at: after(Double(second))) }
    #expect(try writing.tick(at: after(9)) == nil)
    _ = try writing.sink.close(at: after(10))
    #expect(recorder.take() == Array(repeating: .write, count: 5))
    #expect(try writing.synced() == nil)
  }

  @Test func `it can be asked for without a checkpoint`() throws {
    let sink = try sink(system: recorder.system) { $0.sync = .eachBatch }
    try sink.take(["one"])
    try sink.take(["two"])
    #expect(recorder.take() == [.write, .fdatasync, .write, .fdatasync])
  }

  @Test func `at the end all is on the disk`() throws {
    let writing = try writing()
    try writing.write("one", at: after(0))
    _ = recorder.take()
    _ = try writing.sink.close(at: after(0.125))
    #expect(recorder.take() == [.fdatasync])
    #expect(try #require(try writing.synced()) == (1, 4))
  }

  @Test func `the next file has a name on the disk before there is a line in it`() throws {
    let writing = try writing { $0.rotateBytes = 8 }
    try writing.write("one", at: after(0))
    try writing.write("two", at: after(0.25))
    _ = recorder.take()
    let first = try #require(writing.sink.place)
    try writing.write("three", at: after(0.5))
    #expect(recorder.take() == [.fsync, .fsync, .fsync, .fsync, .write])
    let checkpoint = try CheckpointFile.read(home.file("checkpoint")).0
    let synced = try #require(checkpoint.outputs.first?.synced)
    #expect(synced.done.place == 2)
    #expect(synced.place?.byteCount == 0 && synced.place?.file != first.file)
  }

  @Test func `what fails is said once, and tried again`() throws {
    let writing = try writing()
    try writing.tick(at: after(0))
    recorder.fail(true)
    for second in 1...3 { try writing.write("line", at: after(Double(second))) }
    #expect(recorder.take().filter { $0 == .fdatasync }.count == 3)
    #expect(try #require(try writing.synced()) == (0, 0))
    #expect(
      warnings.all == [
        "\(directory.file("access.log")): fsync: Input/output error; a power cut now could lose lines; it is tried "
          + "again"
      ])
    #expect(try writing.tick(at: after(3.5)) == 0.5)
    recorder.fail(false)
    try writing.tick(at: after(4))
    #expect(try #require(try writing.synced()) == (3, 15))
    #expect(warnings.all.count == 1)
  }
}
