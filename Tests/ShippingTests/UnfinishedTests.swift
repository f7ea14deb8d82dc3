import Glibc
@testable import Shipping
@testable import Spool
import Testing

/// Entries that were sent to a consumer, but not taken by it, when the run ends and there is a spool on disk.
@Suite(.serialized) struct UnfinishedTests {
  private let directory = TemporaryDirectory()

  private func spool(memoryBytes: Int) throws -> Spool {
    try Spool(
      Spool.Options(
        limitBytes: memoryBytes, overflow: .block, blockBytes: 16 << 10,
        disk: Spool.DiskOptions(directory: directory.file("spool"))))
  }

  /// A run with a command as the consumer, which takes some lines until the time is over.
  private func run(_ lines: [String], memoryBytes: Int, command: String) throws -> OutputReport {
    let sink = LinkSink.exec("cd '\(directory.path)' && \(command)", LinkOptions()) { _ in }
    let output = try Output(to: sink, spool: spool(memoryBytes: memoryBytes), options: Output.Options())
    var writer = output.makeWriter()
    for line in lines { writer.append(line) }
    writer.finish()
    while lines.isEmpty == false, access(directory.file("done"), F_OK) != 0 { sched_yield() }
    return output.join(drainSeconds: 0.1)
  }

  /// The lines that the next run finds.
  private func inherited() throws -> [String] {
    let spool = try spool(memoryBytes: 1 << 20)
    var reader = spool.makeReader()
    var bytes: [UInt8] = []
    while let batch = try reader.next() {
      bytes += batch.bytes
      reader.take(batch.byteCount)
    }
    return splitLines(bytes)
  }

  private static let lines = (0..<40_000).map { "line \($0) \(String(repeating: "x", count: $0 % 60))" }

  @Test(arguments: [256 << 10, 64 << 20])
  func whatACommandHasNotTakenIsKept(memoryBytes: Int) throws {
    let report = try run(
      Self.lines, memoryBytes: memoryBytes, command: "touch done; exec sleep 1000 </dev/fd/0")
    #expect(report.written == .zero)
    #expect(report.kept.entries == Self.lines.count)
    #expect(report.undelivered.entries == 0)
    #expect(try inherited() == Self.lines)
  }

  @Test(arguments: [256 << 10, 64 << 20])
  func whatACommandHasTakenIsNotKept(memoryBytes: Int) throws {
    let command = """
      n=0; while [ $n -lt 3000 ] && IFS= read -r line; do printf '%s\\n' "$line"; n=$((n+1)); done > got; \
      touch done; exec sleep 1000
      """
    let report = try run(Self.lines, memoryBytes: memoryBytes, command: command)
    #expect(splitLines(Array(directory.text("got").utf8)) == Array(Self.lines.prefix(3000)))
    #expect(report.written.entries == 3000)
    #expect(report.kept.entries == Self.lines.count - 3000)
    #expect(try inherited() == Array(Self.lines.dropFirst(3000)))
  }
}
