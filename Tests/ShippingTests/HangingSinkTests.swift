import Compression
import Glibc
import Platform
import SharedMemory
@testable import Shipping
@testable import Spool
import Testing

/// A sink that hangs in a system call, as happens when its file system is unavailable.
@Suite struct HangingSinkTests {
  /// Takes some lines, then hangs in one of its calls until the test releases it.
  final class HangingSink: Sink, @unchecked Sendable {
    enum Place: String, CaseIterable, Sendable, CustomTestStringConvertible {
      case write, flush, tick, close, abandon
      var testDescription: String { rawValue }
    }

    let name = "a sink"
    let place: Place
    let taken = Guarded<[String]>([])
    let isHanging = WakeSignal()
    let mayGoOn = WakeSignal()
    private let takenMax = 3

    init(_ place: Place) { self.place = place }

    private func hang(_ here: Place) {
      guard here == place, taken.withLock({ $0.count >= takenMax || here != .write }) else { return }
      if here == .tick, taken.withLock({ $0.isEmpty }) { return }
      isHanging.signal()
      mayGoOn.wait(nanoseconds: nil)
    }

    func write(_ batch: EntryBatch, at now: Moment) throws(SystemError) -> SinkProgress {
      hang(.write)
      let part = batch.prefix(1)
      taken.withLock { $0.append(String(decoding: part.bytes, as: UTF8.self)) }
      return SinkProgress(byteCount: part.byteCount)
    }

    func flush(at now: Moment) throws(SystemError) { hang(.flush) }

    func tick(at now: Moment) throws(SystemError) -> Int64? {
      hang(.tick)
      return nil
    }

    func close(at now: Moment) throws(SystemError) -> SinkProgress.Obstacle? {
      hang(.close)
      return nil
    }

    func abandon() { hang(.abandon) }
  }

  private let lines = (0..<50).map { "line \($0)\n" }

  @Test(arguments: HangingSink.Place.allCases)
  func `what a sink that hangs hasn't taken is put on disk without it`(place: HangingSink.Place) async throws
  {
    let directory = TemporaryDirectory()
    let said = Collected<String>()
    let place = place
    let lines = lines
    let report =
      TestThread { () -> OutputReport? in
        let sink = HangingSink(place)
        var options = Spool.Options()
        options.disk = Spool.DiskOptions(directory: directory.file("spool")) { said.append($0) }
        guard
          let output = try? Output(
            to: sink, spool: options, options: Output.Options(warn: { said.append($0) }))
        else { return nil }
        var writer = output.makeWriter()
        for line in lines { writer.append(line) }
        writer.publish()
        if place == .flush { output.requestFlush() }
        // For a sink that hangs only at the end, the output must end.
        writer.finish()
        if place != .abandon { sink.isHanging.wait(nanoseconds: nil) }
        let report = output.join(drainSeconds: 0.5)
        // The sink's call returns when the output has been given up, and must leave everything alone.
        let taken = sink.taken.withLock { $0.count }
        sink.mayGoOn.signal()
        #expect(taken == report.written.entries)
        return report
      }.join() ?? nil
    let result = try #require(report)
    #expect(result.written.entries + result.kept.entries == lines.count)
    #expect(result.undelivered.entries == 0)
    #expect(said.all.contains { $0.contains("hangs") }, "\(said.all)")

    // The next run delivers the rest, and nothing twice.
    var options = Spool.Options()
    options.disk = Spool.DiskOptions(directory: directory.file("spool"))
    // The thread releases the directory when its call has returned.
    var next: Spool?
    _ = eventually {
      next = try? Spool(options)
      return next != nil
    }
    let spool = try #require(next)
    #expect(spool.usage.inherited.entries == result.kept.entries)
    var reader = spool.makeReader()
    var rest: [String] = []
    while rest.count < result.kept.entries, let batch = try reader.next() {
      rest += String(decoding: batch.bytes, as: UTF8.self).split(separator: "\n").map { "\($0)\n" }
      reader.take(batch.byteCount)
    }
    #expect(rest == Array(lines[result.written.entries...]))
  }

  @Test func `without a disk what a sink that hangs hasn't taken is counted`() throws {
    let said = Collected<String>()
    let sink = HangingSink(.write)
    let output = try Output(to: sink, options: Output.Options(warn: { said.append($0) }))
    var writer = output.makeWriter()
    for line in lines { writer.append(line) }
    writer.finish()
    sink.isHanging.wait(nanoseconds: nil)
    let report = output.join(drainSeconds: 0.1)
    sink.mayGoOn.signal()
    #expect(report.written.entries == 3)
    #expect(report.undelivered.entries == lines.count - 3)
    #expect(said.all == ["a sink: hangs, and is left as it is"])
  }

  @Test func `what waits in memory to be compressed is put on disk, too`() async throws {
    let directory = TemporaryDirectory()
    let lines = lines
    let report =
      TestThread { () -> OutputReport? in
        let isHanging = WakeSignal()
        let mayGoOn = WakeSignal()
        var system = SystemCalls()
        system.intercept = { call in
          // The write of the member with which every file begins is let through.
          guard call == .write, access(directory.file("hang"), F_OK) == 0 else { return nil }
          isHanging.signal()
          mayGoOn.wait(nanoseconds: nil)
          return .fail(EIO)
        }
        var file = FileOptions(path: directory.file("log.gz"))
        file.compression = .gzip(level: 1)
        file.keepsUnsettled = true
        var options = Spool.Options()
        options.disk = Spool.DiskOptions(directory: directory.file("spool"))
        guard let sink = try? FileSink(file, at: .now(), system: system, warn: { _ in }),
          let output = try? Output(to: sink, spool: options)
        else { return nil }
        directory.write("hang", "")
        var writer = output.makeWriter()
        for line in lines { writer.append(line) }
        writer.finish()
        isHanging.wait(nanoseconds: nil)
        let report = output.join(drainSeconds: 0.1)
        mayGoOn.signal()
        return report
      }.join() ?? nil
    let result = try #require(report)
    #expect(result.kept.entries == lines.count)
    #expect(result.written.entries == 0)
    var options = Spool.Options()
    options.disk = Spool.DiskOptions(directory: directory.file("spool"))
    var next: Spool?
    _ = eventually {
      next = try? Spool(options)
      return next != nil
    }
    var reader = try #require(next).makeReader()
    let batch = try #require(try reader.next())
    // The lines of the frames end as `append` has ended them.
    #expect(batch.count == lines.count)
    let text = String(decoding: batch.bytes, as: UTF8.self)
    #expect(text.split(separator: "\n").map { "\($0)\n" } == lines)
  }

  @Test func `a look-up that hangs holds up nothing`() throws {
    let mayAnswer = WakeSignal()
    var system = SystemCalls()
    system.intercept = { call in
      if call == .lookup { mayAnswer.wait(nanoseconds: nil) }
      return nil
    }
    let link = SocketLink(address: .tcp(host: "127.0.0.1", port: 1), system: system)
    #expect(link.begin(at: .now()) == .pending(writable: nil))
    #expect(link.condition(at: .now()) == .pending(writable: nil))
    let later = Moment.now().later(seconds: 11)
    guard case .ended(let end) = link.condition(at: later) else {
      Issue.record("it still waits")
      return
    }
    #expect(end.reason.contains("no answer"))
    // Another attempt doesn't ask the resolver again, but takes its answer when it comes.
    #expect(link.begin(at: .now()) == .pending(writable: nil))
    mayAnswer.signal()
    let isAnswered = eventually { link.condition(at: .now()) != .pending(writable: nil) }
    #expect(isAnswered)
  }
}
