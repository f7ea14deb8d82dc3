import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// Named pipes whose readers come and go.
@Suite struct FIFOTests {
  private let directory = TemporaryDirectory()
  private let said = Collected<String>()
  private var path: String { directory.file("fifo") }

  init() throws {
    try #require(mkfifo(path, 0o600) == 0)
  }

  private func output(onRestart: RestartPolicy = .resend, header: String = "") throws -> Output {
    var options = FileOptions(path: path)
    options.onRestart = onRestart
    options.content = .lines(header: Array(header.utf8))
    return try Output(to: FileSink.open(options) { [said] in said.append($0) })
  }

  /// Opens the pipe for reading once a writer has opened it.
  private func reader() -> TestThread<Int32> {
    TestThread { [path] in open(path, O_RDONLY | O_CLOEXEC) }
  }

  /// Reads until the end, or until a text has come.
  private func read(_ descriptor: Int32, until end: String? = nil, atMost limit: Int = .max) -> String {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while bytes.count < limit {
      let count = Glibc.read(descriptor, &chunk, min(chunk.count, limit - bytes.count))
      if count <= 0 { break }
      bytes += chunk.prefix(count)
      if let end, String(decoding: bytes.suffix(end.utf8.count), as: UTF8.self) == end { break }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func linesAreKeptUntilSomebodyReads() throws {
    let output = try output(header: "# fields\n")
    var writer = output.makeWriter()
    let lines = (0..<20_000).map { "line \($0)\n" }
    for index in lines.indices { writer.append("line \(index)") }
    writer.publish()
    #expect(output.report.written == .zero)
    let descriptor = try #require(reader().join())
    #expect(read(descriptor, until: lines.last) == "# fields\n" + lines.joined())
    writer.finish()
    #expect(read(descriptor) == "")
    #expect(output.join(drainSeconds: 60).written.entries == lines.count)
    #expect(said.all.isEmpty, "nothing is wrong in waiting for a reader")
    close(descriptor)
  }

  @Test func nothingIsHeldUpWhileNobodyReads() throws {
    let output = try output()
    var writer = output.makeWriter()
    writer.append("line")
    writer.finish()
    let start = Moment.now().steadyNanoseconds
    let report = output.join(drainSeconds: 0.1)
    #expect(Moment.now().steadyNanoseconds - start < 3_000_000_000)
    #expect(report.undelivered == Tally(entries: 1, bytes: 5))
    #expect(report.failure == nil)
  }

  @Test func withoutLinesNobodyIsWaitedFor() throws {
    let output = try output()
    output.finish()
    #expect(output.join(drainSeconds: 60).failure == nil)
  }

  @Test func theSecondReaderGetsWholeLines() throws {
    let output = try output(header: "# fields\n")
    var writer = output.makeWriter()
    let lines = (1000..<6000).map { "line \($0)\n" }
    for index in 1000..<6000 { writer.append("line \(index)") }
    writer.publish()
    let first = try #require(reader().join())
    // The header, two lines, and a piece of the third line.
    #expect(read(first, atMost: 33) == "# fields\nline 1000\nline 1001\nline")
    close(first)
    #expect(eventually { !said.all.isEmpty })
    #expect(said.all.first?.contains("fifo: the reader has gone, ") == true, "\(said.all)")
    #expect(said.all.first?.contains("lines are sent again; waiting for the next one") == true)
    let second = try #require(reader().join())
    writer.finish()
    #expect(read(second) == "# fields\n" + lines.dropFirst(2).joined())
    #expect(output.join(drainSeconds: 60).written.entries == lines.count)
    close(second)
  }

  @Test func whatAReaderLeavesIsCountedIfSoWished() throws {
    let output = try output(onRestart: .drop)
    var writer = output.makeWriter()
    let lines = (1000..<21000).map { "line \($0)\n" }
    for index in 1000..<21000 { writer.append("line \(index)") }
    writer.publish()
    let first = try #require(reader().join())
    #expect(read(first, atMost: 25) == "line 1000\nline 1001\nline ")
    close(first)
    #expect(eventually { !said.all.isEmpty })
    let second = try #require(reader().join())
    writer.finish()
    let rest = read(second)
    let report = output.join(drainSeconds: 60)
    #expect(report.written.entries == 2 + rest.count { $0 == "\n" })
    #expect(report.droppedByFailure.entries > 0)
    #expect(report.written.entries + report.droppedByFailure.entries == lines.count)
    #expect(rest == lines.suffix(report.written.entries - 2).joined())
    close(second)
  }

  @Test func aReaderThatIsStuckIsLeftInTime() throws {
    let output = try output()
    var writer = output.makeWriter()
    for index in 0..<20_000 { writer.append("line \(index)") }
    writer.finish()
    let descriptor = try #require(reader().join())
    #expect(read(descriptor, atMost: 14) == "line 0\nline 1\n")
    let report = output.join(drainSeconds: 0.1)
    #expect(report.written.entries == 2)
    #expect(report.undelivered.entries == 20_000 - 2)
    close(descriptor)
  }

  @Test func aPipeThatMayNotBeWrittenToIsRefusedAtOnce() throws {
    let denied = FaultPlan { call, _ in call == .open ? .fail(EACCES) : nil }
    let error = #expect(throws: SystemError.self) {
      try LinkSink.fifo(path, LinkOptions(), system: denied.system) { _ in }
    }
    #expect(error?.description.hasPrefix("\(path): open: Permission denied; \(path) belongs to ") == true)
  }
}
