import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Synchronization
import Testing

@Suite struct OutputTests {
  private func output(to pipe: TestPipe, limitBytes: Int = 64 << 20) throws -> Output {
    try Output(
      to: StreamSink(descriptor: pipe.writeEnd, name: "standard output"),
      spool: Spool.Options(limitBytes: limitBytes))
  }

  @Test func aPipeThatStallsGetsEveryLineAfterwards() throws {
    let pipe = TestPipe()
    let output = try output(to: pipe)
    var writer = output.makeWriter()
    let lines = (0..<50_000).map { "line \($0) \(String(repeating: "x", count: $0 % 90))" }
    for line in lines { writer.append(line) }
    writer.finish()
    #expect(output.report.undelivered.entries > 40_000, "nobody has read yet")
    let reader = TestThread { pipe.readLines(50_000) }
    let report = output.join(drainSeconds: 60)
    #expect(reader.join() == lines)
    #expect(report.written.entries == 50_000)
    #expect(report.lostEntries == 0)
    #expect(report.failure == nil)
  }

  @Test func aStuckPipeIsLeftInTimeAndTheNumbersAreExact() throws {
    let pipe = TestPipe()
    let output = try output(to: pipe)
    var writer = output.makeWriter()
    for index in 0..<20_000 { writer.append("number \(index)") }
    writer.finish()
    let start = Moment.now().steadyNanoseconds
    let report = output.join(drainSeconds: 0.1)
    let nanoseconds = Moment.now().steadyNanoseconds - start
    #expect((100_000_000..<5_000_000_000).contains(nanoseconds))
    let got = pipe.drain()
    #expect(report.written.entries == got.count { $0 == UInt8(ascii: "\n") })
    #expect(report.written.entries > 0)
    #expect(report.written.entries + report.undelivered.entries == 20_000)
    #expect(report.written + report.undelivered == output.usage.committed)
    #expect(report.failure == nil)
  }

  @Test func theOneWhoSharesAPipeIsNotMadeNonBlocking() throws {
    let pipe = TestPipe()
    let output = try output(to: pipe)
    var writer = output.makeWriter()
    writer.append("hello")
    writer.finish()
    #expect(pipe.readLines(1) == ["hello"])
    #expect(output.join(drainSeconds: 10).written.entries == 1)
    #expect(fcntl(pipe.writeEnd, F_GETFL) & O_NONBLOCK == 0)
  }

  @Test func aConsumerThatGoesAwayIsAnErrorAndNothingBlocks() throws {
    let pipe = TestPipe()
    let output = try output(to: pipe, limitBytes: 1 << 20)
    var writer = output.makeWriter()
    writer.append("seen")
    writer.publish()
    #expect(pipe.readLines(1) == ["seen"])
    pipe.closeReadEnd()
    writer.append("unseen")
    writer.publish()
    while output.failure == nil { sched_yield() }
    let error = try #require(output.failure)
    #expect(error.isFinal)
    #expect(error.description == "standard output: write: Broken pipe (the consumer went away)")
    var refusedCount = 0
    for index in 0..<100_000 where !writer.append("more \(index)") { refusedCount += 1 }
    writer.finish()
    let report = output.join(drainSeconds: 10)
    #expect(report.written.entries == 1)
    #expect(report.undelivered == .zero)
    #expect(report.droppedByFailure.entries + refusedCount == 100_001)
    #expect(report.failure == error)
  }

  @Test func aFullDeviceIsOneClearLine() throws {
    let descriptor = open("/dev/full", O_WRONLY | O_CLOEXEC)
    defer { close(descriptor) }
    let output = try Output(to: StreamSink(descriptor: descriptor, name: "standard output"))
    var writer = output.makeWriter()
    writer.append("lost")
    writer.finish()
    let report = output.join(drainSeconds: 10)
    #expect(report.failure?.description == "standard output: write: No space left on device")
    #expect(report.droppedByFailure == Tally(entries: 1, bytes: 5))
    #expect(report.written == .zero)
  }

  @Test func aSocketIsServedWithoutWaiting() throws {
    var ends: [Int32] = [-1, -1]
    let stream = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    try #require(socketpair(AF_UNIX, stream, 0, &ends) == 0)
    let far = ends[1]
    let output = try Output(to: StreamSink(descriptor: ends[0], name: "socket"))
    var writer = output.makeWriter()
    let lines = (0..<40_000).map { "line \($0)" }
    for line in lines { writer.append(line) }
    writer.publish()
    let reader = TestThread { () -> [String] in
      var bytes: [UInt8] = []
      var chunk = [UInt8](repeating: 0, count: 65_536)
      while bytes.count(where: { $0 == UInt8(ascii: "\n") }) < 40_000 {
        let count = recv(far, &chunk, chunk.count, 0)
        if count <= 0 { break }
        bytes += chunk.prefix(count)
      }
      close(far)
      return splitLines(bytes)
    }
    #expect(reader.join() == lines)
    while output.failure == nil {
      writer.append("after the end")
      writer.publish()
    }
    #expect(output.failure?.isFinal == true)
    writer.finish()
    _ = output.join(drainSeconds: 10)
    close(ends[0])
  }

  @Test func aPipeThatCannotBeOpenedAnewIsAskedFirst() throws {
    let pipe = TestPipe()
    let denied = FaultPlan { call, _ in call == .open ? .fail(EACCES) : nil }
    let sink = try StreamSink(
      descriptor: pipe.writeEnd, name: "standard output", ownsDescriptor: false,
      system: denied.system)
    let output = try Output(to: sink)
    var writer = output.makeWriter()
    let lines = (0..<30_000).map { "line \($0)" }
    for line in lines { writer.append(line) }
    writer.finish()
    // The output must not hang in a write to the full pipe, as it couldn't then be stopped exactly.
    let report = output.join(drainSeconds: 0.1)
    let got = pipe.drain()
    #expect(report.written.entries == got.count { $0 == UInt8(ascii: "\n") })
    #expect(report.written.entries > 1000)
    #expect(report.written.entries + report.undelivered.entries == 30_000)
    let whole = report.written.entries
    #expect(lines.prefix(whole) == splitLines(got).prefix(whole))
  }

  @Test func aRequestReachesASleepingThread() throws {
    let directory = TemporaryDirectory()
    var options = FileOptions(path: directory.file("access.log"))
    options.appends = true
    let output = try Output(to: FileSink.open(options) { _ in })
    var writer = output.makeWriter()
    writer.append("before")
    writer.publish()
    while output.report.written.entries < 1 { sched_yield() }
    rename(directory.file("access.log"), directory.file("moved"))
    output.requestReopen()
    while access(directory.file("access.log"), F_OK) != 0 { sched_yield() }
    writer.append("after")
    writer.finish()
    #expect(output.join(drainSeconds: 10).written.entries == 2)
    #expect(directory.text("moved") == "before\n")
    #expect(directory.text("access.log") == "after\n")
  }

  @Test func aRequestReachesAThreadThatIsBlockedByAPipe() throws {
    let pipe = TestPipe()
    let output = try output(to: pipe)
    var writer = output.makeWriter()
    for index in 0..<20_000 { writer.append("number \(index)") }
    writer.publish()
    output.requestReopen()
    output.finish()
    let report = output.join(drainSeconds: 0)
    #expect(report.written.entries + report.undelivered.entries == 20_000)
  }

  @Test func theIdleThreadSleeps() throws {
    let ticks = Collected<Int>()
    let output = try Output(to: CountingSink(ticks: ticks))
    var writer = output.makeWriter()
    writer.append("one")
    writer.publish()
    while output.report.written.entries < 1 { sched_yield() }
    while !output.spool.isConsumerAsleep.load(ordering: .acquiring) { sched_yield() }
    // The sink must not be called any more, however long the test waits.
    let settled = ticks.all.count
    usleep(200_000)
    #expect(ticks.all.count == settled)
    writer.finish()
    _ = output.join(drainSeconds: 10)
  }

  @Test func aSinkThatWantsToBeCalledByTheClockIs() throws {
    let ticks = Collected<Int>()
    let output = try Output(to: CountingSink(ticks: ticks, nanoseconds: 1_000_000))
    while ticks.all.count < 20 { sched_yield() }
    output.finish()
    #expect(output.join(drainSeconds: 10).failure == nil)
  }
}

/// Counts the calls of its thread.
final class CountingSink: Sink, Sendable {
  let name = "counting"
  let ticks: Collected<Int>
  let nanoseconds: Int64?

  init(ticks: Collected<Int>, nanoseconds: Int64? = nil) {
    self.ticks = ticks
    self.nanoseconds = nanoseconds
  }

  func tick(at now: Moment) throws(SystemError) -> Int64? {
    ticks.append(1)
    return nanoseconds
  }

  func write(_ batch: EntryBatch, at now: Moment) throws(SystemError) -> SinkProgress {
    SinkProgress(byteCount: batch.byteCount)
  }
}
