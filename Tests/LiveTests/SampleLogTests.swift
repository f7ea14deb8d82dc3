import Glibc
import TestSupport
import Testing

/// The reference tools can read the sample logs on which other tests are built.
@Suite(.needs(.program("varnishlog")))
struct SampleLogTests {
  static let lines = """
    2 c Begin req 1 rxreq
    2 c Timestamp Start: 1700000000.123456 0.000000 0.000000
    2 c ReqStart 192.0.2.7 51234 a0
    2 c ReqMethod GET
    2 c ReqURL /path/x?q=1&r=2
    2 c ReqProtocol HTTP/1.1
    2 c ReqHeader Host: example.com
    2 c ReqHeader User-Agent: UA/1.0 "quoted"
    2 c RespStatus 200
    2 c ReqAcct 81 5 86 236 9 245
    2 c End
    """

  @Test func `a built file is a log file to varnishncsa`() throws {
    let directory = try TemporaryDirectory()
    try LogFileBuilder(lines: Self.lines).write(to: directory.file("log"))
    let command = Command(
      "varnishncsa", ["-r", directory.file("log")], environment: ["TZ": "UTC"])
    let result = try ProcessRunner.run(command)
    let expected = """
      192.0.2.7 - - [14/Nov/2023:22:13:20 +0000] "GET http://example.com/path/x?q=1&r=2 HTTP/1.1" \
      200 9 "-" "UA/1.0 \\"quoted\\""

      """
    #expect(result.text == expected)
  }

  @Test func `varnishlog follows the ring of a played worker over many turns`() async throws {
    try await onOwnThread {
      let instance = try SampleWorkdir()
      let ring = try instance.startWorker(eighthWords: 1024)
      let reader = try ChildProcess(
        Command("varnishlog", ["-n", instance.path, "-g", "raw", "-i", "ReqURL"]))
      guard let output = reader.output else { throw SupportError("varnishlog without output") }
      try awaitAttachment(of: output, to: ring)
      output.skipLines()

      var random = SeededGenerator(seed: 7)
      for first in stride(from: 0, to: 4000, by: 50) {
        var expected: [String] = []
        for number in first..<(first + 50) {
          let filler = String(repeating: "x", count: Int.random(in: 0..<200, using: &random))
          expected.append("/\(number)/\(filler)")
          append(request: UInt64(number + 10), url: "/\(number)/\(filler)", to: ring, &random)
        }
        var shown: [String] = []
        while shown.count < expected.count,
          let line = try output.nextLine(by: .after(.seconds(10)))
        {
          let url = line.split(separator: " ").last ?? ""
          if url != "/attach" { shown.append(String(url)) }
        }
        try #require(shown == expected, "\(random)")
      }
      #expect(ring.turns > 3)
    }
  }

  /// Appends a transaction in one piece or record by record.
  private func append(
    request vxid: UInt64, url: String, to ring: RingWriter, _ random: inout SeededGenerator
  ) {
    let records = [
      SampleRecord(vxid, .client, "Begin", "req 1 rxreq"),
      SampleRecord(vxid, .client, "ReqURL", url),
      SampleRecord(vxid, .client, "End"),
    ]
    if Bool.random(using: &random) {
      ring.append(batch: records)
    } else {
      for record in records { ring.append(record) }
    }
  }

  /// Appends until the reader shows something: it starts at the end of the log at that moment.
  private func awaitAttachment(of output: OutputPipe, to ring: RingWriter) throws(SupportError) {
    let attached = try poll(until: .after(.seconds(10))) { () throws(SupportError) in
      ring.append(SampleRecord(1, .client, "ReqURL", "/attach"))
      return output.text.contains("/attach")
    }
    guard attached else { throw SupportError("varnishlog shows nothing") }
  }
}
