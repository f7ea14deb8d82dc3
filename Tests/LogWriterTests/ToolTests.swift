import VarnishLog
import Glibc
import LogWriterSupport
import LogWriting
import TestSupport
import Testing

/// The installed tools of 7.1 read our logs, and so does Spillway, for comparison.
///
/// `SPILLWAY_WRITER_TRANSACTIONS` changes the number of transactions, `SPILLWAY_WRITER_LOG_BYTES` the log's
/// size.
@Suite(.needs(.program("varnishlog")), .limit(minutes: 60))
struct ToolTests {
  private static func setting(_ name: String, default value: Int) -> Int {
    getenv(name).flatMap { Int(String(cString: $0)) } ?? value
  }

  private static func options(logByteCount: Int) -> LogWriterOptions {
    var options = LogWriterOptions(.indexed(.v41))
    options.logByteCount = logByteCount
    return options
  }

  /// Writes a transaction that serves as a mark in the readers' outputs.
  private static func mark(_ name: String, _ writer: LogWriter) {
    var transaction = writer.transaction(writer.nextVXID(), .client)
    transaction.add(.begin, "req 999999999 rxreq")
    transaction.add(.reqURL, "/mark/\(name)")
    transaction.add(.end, "")
    transaction.commit()
  }

  /// Whether a mark is near the end of a file.
  private static func ends(_ path: String, with mark: String) throws(SupportError) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    let end = lseek(descriptor, 0, SEEK_END)
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = pread(descriptor, &bytes, bytes.count, max(0, end - 4096))
    // The mark's line is the last, or that of the transaction's end and an empty one follow.
    let lines = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false)
    let isLast = lines.suffix(2).first?.hasSuffix("/mark/\(mark)") == true
    return lines.last == "" && (isLast || lines.suffix(4).first?.hasSuffix("/mark/\(mark)") == true)
  }

  @Test func `varnishlog, varnishncsa and spillway show every byte of what eight threads write`() async throws
  {
    try await onOwnThread {
      let count = UInt64(Self.setting("SPILLWAY_WRITER_TRANSACTIONS", default: 6000))
      let logByteCount = Self.setting("SPILLWAY_WRITER_LOG_BYTES", default: 1 << 19)
      let directory = try TemporaryDirectory()
      let writer = try LogWriter(
        directory: directory.file("log"), options: Self.options(logByteCount: logByteCount))
      var commands = [
        ("varnishlog", Command("varnishlog", ["-n", writer.directory])),
        ("varnishncsa", Command("varnishncsa", ["-n", writer.directory, "-F", "%U"])),
      ]
      if try Need.spillway.isMet {
        commands.append(("spillway", try Subject.found().log(["-n", writer.directory])))
      }
      let outputs = commands.map { directory.file($0.0) }
      let readers = try zip(commands, outputs).map { command, output in
        var command = command.1
        command.output = .file(output)
        return try ChildProcess(command)
      }
      func settle(_ mark: String) throws(SupportError) {
        for output in outputs {
          let found = try poll(every: .milliseconds(2), until: .after(.seconds(60))) {
            () throws(SupportError) in
            try Self.ends(output, with: mark)
          }
          guard found else { throw SupportError("\(mark) does not come out in \(output)") }
        }
      }
      // The readers begin at the log's end at that moment, so marks are written until all have seen one.
      let attached = try poll(until: .after(.seconds(20))) { () throws(SupportError) in
        Self.mark("attach", writer)
        for output in outputs where try readFile(output).isEmpty { return false }
        return true
      }
      try #require(attached)
      Self.mark("begin", writer)
      try settle("begin")

      // A third of the log at a time, so that no reader can be lapped.
      let slice = UInt64(logByteCount / 3 / 450)
      var first: UInt64 = 0
      while first < count {
        let next = min(first + slice, count)
        WriterThreads.write(first..<next, threads: 8, to: writer)
        Self.mark("\(next)", writer)
        try settle("\(next)")
        first = next
      }
      for reader in readers { try reader.terminate(by: .after(.seconds(10))) }
      #expect(writer.statistics.cycles > 1)

      var seen = [Bool](repeating: false, count: Int(count))
      try LogText.check(outputs[0], count: count) { seen[Int($0)] = true }
      #expect(seen.allSatisfy { $0 })
      #expect(try LogText.urls(outputs[1], count: count) == Int(count))
      if outputs.count > 2 {
        #expect(try LogText.areSame(outputs[0], outputs[2], from: "/mark/begin"))
      }
      print(
        "\(outputs.count) readers, \(count) transactions, \(writer.statistics.cycles) turns, \(writer.statistics.waits) waits"
      )
    }
  }

  @Test func `varnishstat shows the writer's counters and those of its user`() throws {
    let directory = try TemporaryDirectory()
    let writer = try LogWriter(directory: directory.path, options: Self.options(logByteCount: 1 << 20))
    let counters = [
      CounterDescription("sold", "Things \"sold\""),
      CounterDescription("weight", "Their weight", kind: .gauge, format: .bytes, level: .diag),
    ]
    let europe = try writer.addCounters("SHOP.eu", kind: "shop", summary: "A shop", counters)
    let asia = try writer.addCounters("SHOP.asia", kind: "shop", summary: "A shop", counters)
    europe.add(3, to: 0)
    europe.add(-1, to: 1)
    europe.add(8, to: 1)
    asia[0] = 1_000_000
    WriterThreads.write(0..<500, threads: 4, to: writer)
    func shown() throws -> [String: String] {
      let result = try ProcessRunner.run("varnishstat", "-n", directory.path, "-1")
      #expect(result.status == 0, "\(result.errorText)")
      return result.text.split(separator: "\n").reduce(into: [:]) { values, line in
        let fields = line.split(separator: " ", omittingEmptySubsequences: true)
        values[String(fields[0])] = String(fields[1])
      }
    }
    let values = try shown()
    #expect(values["SHOP.eu.sold"] == "3" && values["SHOP.eu.weight"] == "7")
    #expect(values["SHOP.asia.sold"] == "1000000")
    #expect(values["MAIN.shm_records"] == "\(500 * Traffic.recordCount)")
    #expect(values["MAIN.shm_writes"] == "500")
    #expect(values["MAIN.shm_bytes"] == "\(writer.statistics.bytes)")
    #expect(values["MAIN.shm_cycles"] == "\(writer.statistics.cycles)")
    #expect(values["MGT.child_start"] == "1")
    asia.remove()
    asia.add(to: 0)
    let left = try shown()
    #expect(left["SHOP.asia.sold"] == nil && left["SHOP.eu.sold"] == "3")
    #expect(try ProcessRunner.run("varnishstat", "-n", directory.path, "-1").text.contains("Things \"sold\""))
  }
}
