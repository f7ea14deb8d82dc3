import LogWriting
import SpillwayLogging
import TestSupport
import Testing

/// Values that look like other parts of a record or line.
@Suite(.needs(.spillway))
struct HostileTextTests {
  @Test func `no value forges a record or hides one`() throws {
    let log = try SharedLog()
    let request = AccessLog(log.writer).begin(
      method: "GET\u{0}", target: "/\n-   RespStatus     999", version: "HTTP/1.1\r",
      client: AccessLog.Address("192.0.2.7 6\n", port: 1), listener: "")
    request.addHeader("X\nY", "a\u{0}b\u{1B}[2J\u{7F}\r\nRespStatus 999\tc")
    request.log("k\n", "v\n")
    request.logError("e\n-   RespStatus     999")
    request.respond(status: 200, reason: "O\nK", headers: [(name: "A\u{0}", value: "\n")])
    request.mark("M\n")
    request.end()
    let records = try log.records().filter { !$0.hasPrefix("Timestamp") && !$0.hasPrefix("ReqAcct") }
    #expect(
      records == [
        "Begin req 0 rxreq", "ReqStart 192.0.2.7_6_ 1 -", #"ReqMethod GET\x00"#,
        #"ReqURL /\n-   RespStatus     999"#, #"ReqProtocol HTTP/1.1\r"#,
        #"ReqHeader X\nY: a\x00b\x1b[2J\x7f\r\nRespStatus 999"# + "\tc", #"VCL_Log k\n: v\n"#,
        #"Error e\n-   RespStatus     999"#, #"RespProtocol HTTP/1.1\r"#, "RespStatus 200",
        #"RespReason O\nK"#,
        #"RespHeader A\x00: \n"#, "End ",
      ])
    #expect(try log.lines(["-F", "%s"]) == ["200"])
    #expect(try log.lines(["--format", "json"], beside: false).count == 1)
  }

  @Test func `a long value is cut and counted, and what follows is whole`() throws {
    let log = try SharedLog()
    let request = AccessLog(log.writer).begin(method: "GET", target: "/long", client: nil)
    let long = String(repeating: "x", count: 1 << 16)
    request.addHeader("Cookie", long)
    request.addHeader("Evil", String(repeating: "\n", count: 1 << 16))
    request.addHeader("Host", "after")
    request.respond(status: 200)
    request.end()
    #expect(log.writer.statistics.truncations == 2)
    let line = try #require(try log.lines(["-F", "%U %{Host}i %s %{Cookie}i"]).first)
    let fields = line.split(separator: " ")
    #expect(fields.dropLast() == ["/long", "after", "200"])
    #expect(fields.last?.count == log.writer.options.textByteCountMax - "Cookie: ".count)
  }

  @Test func `more than a buffer of records stays one transaction`() throws {
    let log = try SharedLog()
    let request = AccessLog(log.writer).begin(method: "GET", target: "/many", client: nil)
    for index in 0..<1000 { request.addHeader("X-\(index)", String(repeating: "v", count: 100)) }
    request.respond(status: 200)
    request.end()
    #expect(log.writer.statistics.flushes > 0)
    #expect(try log.lines(["-F", "%U %s %{X-0}i"]).map { $0.hasPrefix("/many 200 vvv") } == [true])
    #expect(try log.records(["-i", "ReqHeader"]).count == 1000)
  }

  @Test func `bytes that are no UTF-8 stay what they are`() throws {
    let log = try SharedLog()
    let request = AccessLog(log.writer).begin(method: "GET", target: "/bytes", client: nil)
    let value: [UInt8] = [0xFF, 0x41, 0xC3, 0x0A, 0x00, 0xE9]
    request.addHeader("X-Raw", bytes: value.span.bytes)
    request.respond(status: 200)
    request.addResponseHeader("X-Back", bytes: value.span.bytes)
    request.end()
    let shown = #"\xffA\xc3\\n\\x00\xe9"#
    #expect(try log.lines(["-F", "%{X-Raw}i %{X-Back}o"]) == ["\(shown) \(shown)"])
  }
}
