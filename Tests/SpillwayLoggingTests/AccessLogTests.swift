import Glibc
import SpillwayLogging
import TestSupport
import Testing
import VarnishLog

/// The access-log line of a request.
@Suite(.needs(.spillway))
struct AccessLogTests {
  private static let client = AccessLog.Address("192.0.2.7", port: 51234)

  /// Begins a request that has everything that a request can have.
  private static func beginLarge(_ log: AccessLog, start: ContinuousClock.Instant = .now) -> AccessLog.Request
  {
    let request = log.begin(
      method: "POST", target: "/cart?id=7", version: "HTTP/1.1", client: client, listener: "web", start: start
    )
    request.addHeaders([
      (name: "Host", value: "shop.example.com"), (name: "Authorization", value: "Basic YW5uOnB3"),
      (name: "Referer", value: "https://example.org/"), (name: "User-agent", value: "curl/8"),
      (name: "X-Request-ID", value: "4f1c"),
    ])
    request.received(10)
    request.received(20)
    request.log("tenant", "acme")
    request.handled(as: .pass)
    return request
  }

  private static func respond(_ request: AccessLog.Request) {
    request.respond(status: 201, reason: "Created", headers: [(name: "Content-Type", value: "text/html")])
    request.sent(5000)
    request.sent(120)
    request.end()
  }

  @Test(arguments: [TagNumbering.v41, .v73, .v90])
  func `every format specifier shows what was said of the request`(_ numbering: TagNumbering) throws {
    let log = try SharedLog(numbering)
    let request = Self.beginLarge(AccessLog(log.writer))
    Self.respond(request)
    let format = #"""
      %h %l %u "%r" %s %b "%{Referer}i" "%{User-agent}i" %m %U %q %H %{content-type}o
      """#
    #expect(
      try log.lines(["-F", format]) == [
        #"192.0.2.7 - ann "POST http://shop.example.com/cart?id=7 HTTP/1.1" 201 5120"#
          + #" "https://example.org/" "curl/8" POST /cart ?id=7 HTTP/1.1 text/html"#
      ])
    // The sizes of the heads as they are sent: 27 + 24 + 31 + 31 + 20 + 20 + 2, and 22 + 25 + 2.
    let extended =
      "%I %O %{Varnish:side}x %{Varnish:vxid}x %{Varnish:hitmiss}x %{Varnish:handling}x %{VCL_Log:tenant}x"
      + " %{VSL:ReqStart[2]}x %{VSL:ReqStart[3]}x %{VSL:ReqAcct}x"
    let head = Self.headByteCount([
      "POST /cart?id=7 HTTP/1.1", "Host: shop.example.com", "Authorization: Basic YW5uOnB3",
      "Referer: https://example.org/", "User-agent: curl/8", "X-Request-ID: 4f1c", "",
    ])
    let answer = Self.headByteCount(["HTTP/1.1 201 Created", "Content-Type: text/html", ""])
    #expect(
      try log.lines(["-F", extended]) == [
        "\(head + 30) \(answer + 5120) c \(request.vxid) miss pass acme 51234 web"
          + " \(head) 30 \(head + 30) \(answer) 5120 \(answer + 5120)"
      ])
  }

  private static func headByteCount(_ lines: [String]) -> Int { lines.reduce(0) { $0 + $1.utf8.count + 2 } }

  @Test func `times are those of the request`() throws {
    let log = try SharedLog()
    let before = time(nil)
    let request = Self.beginLarge(AccessLog(log.writer), start: .now - .milliseconds(2500))
    Self.respond(request)
    let after = time(nil)
    let line = try #require(try log.lines(["-F", "%{sec}t %D %T %{Varnish:time_firstbyte}x"]).first)
    let fields = line.split(separator: " ").map(String.init)
    let start = try #require(Int(fields[0]))
    #expect((before - 3...after - 2).contains(start))
    let duration = try #require(Int(fields[1]))
    #expect((2_500_000..<60_000_000).contains(duration))
    #expect(Int(fields[2]) == duration / 1_000_000)
    let firstByte = try #require(Double(fields[3]))
    #expect(firstByte >= 2.5 && firstByte <= Double(duration) / 1e6 + 0.000_001)
    #expect(try log.lines([]).count == 1, "the default format needs a time")
  }

  @Test func `a start that is to come counts as now`() throws {
    let log = try SharedLog()
    let request = Self.beginLarge(AccessLog(log.writer), start: .now + .seconds(1000))
    Self.respond(request)
    let duration = try #require(try log.lines(["-F", "%D"]).first.flatMap { Int($0) })
    #expect((0..<60_000_000).contains(duration))
  }

  @Test func `every shipped template gives a line`() throws {
    let log = try SharedLog(.v73)
    Self.respond(Self.beginLarge(AccessLog(log.writer)))
    let list = try ProcessRunner.run(try Subject.found().path, "formats")
    let names = list.text.split(separator: "\n").compactMap { $0.split(separator: " ").first }
    #expect(names.contains("json") && names.count > 8)
    for name in names {
      let lines = try log.lines(["--format", String(name)], beside: false).filter { !$0.hasPrefix("#") }
      #expect(lines.count == 1, "\(name)")
      #expect(lines.first?.contains("/cart") == true && lines.first?.contains("201") == true, "\(name)")
    }
    let json = try #require(try log.lines(["--format", "json"], beside: false).first)
    for piece in [
      #""client_ip":"192.0.2.7","user":"ann","method":"POST","host":"shop.example.com","url":"/cart?id=7""#,
      #""protocol":"HTTP/1.1","status":201,"bytes":5120,"time_firstbyte":0."#,
      #""hitmiss":"miss","handling":"pass","referrer":"https://example.org/","user_agent":"curl/8""#,
      #""request_id":"4f1c""#,
    ] {
      #expect(json.contains(piece), "\(json)")
    }
  }

  @Test func `a request without an answer is logged when it is let go`() throws {
    let log = try SharedLog()
    do {
      let request = AccessLog(log.writer).begin(method: "GET", target: "/gone", client: nil)
      request.logError("the client went away")
    }
    #expect(try log.lines(["-F", "%h %U %s %b %{Varnish:handling}x"]) == ["0.0.0.0 /gone - 0 -"])
    #expect(try log.lines(["-F", "%U", "-q", #"Error ~ "went away""#]) == ["/gone"])
    #expect(try log.lines(["--format", "json"], beside: false).first?.contains(#""status":null"#) == true)
  }

  @Test func `a request is logged once, and takes nothing after its end`() throws {
    let log = try SharedLog()
    let request = AccessLog(log.writer).begin(method: "GET", target: "/once", client: Self.client)
    request.respond(status: 200)
    #expect(request.end())
    #expect(!request.end())
    request.log("late", "yes")
    request.sent(100)
    request.respond(status: 500)
    #expect(try log.lines(["-F", "%U %s %b [%{VCL_Log:late}x]"]) == ["/once 200 0 []"])
    #expect(try log.records().filter { $0.hasPrefix("End") }.count == 1)
  }

  @Test func `the documented example gives its line`() throws {
    let log = try SharedLog()
    let request = AccessLog(log.writer).begin(
      method: "GET", target: "/cart?id=7", client: AccessLog.Address("192.0.2.7", port: 51234))
    request.addHeader("Host", "shop.example.com")
    request.respond(status: 200, reason: "OK", headers: [("Content-Type", "text/html")])
    request.sent(5120)
    request.end()
    #expect(
      try log.lines(["-F", #"%h "%r" %s %b %{content-type}o"#]) == [
        #"192.0.2.7 "GET http://shop.example.com/cart?id=7 HTTP/1.1" 200 5120 text/html"#
      ])
  }

  @Test func `an interim response is not the answer`() throws {
    let log = try SharedLog()
    let request = AccessLog(log.writer).begin(method: "GET", target: "/hints", client: Self.client)
    request.respond(status: 103, reason: "Early Hints", headers: [(name: "Link", value: "</a.css>")])
    request.respond(status: 404, reason: "Not Found")
    request.end()
    let interim = Self.headByteCount(["HTTP/1.1 103 Early Hints", "Link: </a.css>", ""])
    let final = Self.headByteCount(["HTTP/1.1 404 Not Found", ""])
    #expect(try log.lines(["-F", "%s %{Link}o %O"]) == ["404 - \(interim + final)"])
  }

  @Test func `a session holds its requests together`() throws {
    let log = try SharedLog()
    let session = AccessLog(log.writer).openSession(
      client: Self.client, server: AccessLog.Address("2001:db8::1", port: 443), listener: "tls",
      descriptor: 21)
    var requests: [AccessLog.Request] = []
    for path in ["/a", "/b"] {
      let request = session.begin(method: "GET", target: path)
      request.respond(status: 200)
      request.end()
      requests.append(request)
    }
    session.close(reason: "RESP_CLOSE")
    session.close()
    let text = try log.text(["-g", "session"])
    #expect(!text.contains("VSL "), "a reader objects to something")
    #expect(text.components("<< Session  >>") == 1 && text.components("<< Request  >>") == 2)
    let records = try log.records(["-g", "session", "-i", "Begin,Link,SessClose,ReqStart"])
    #expect(records.first == "Begin sess 0 HTTP/1")
    #expect(records.filter { $0.hasPrefix("Link") } == requests.map { "Link req \($0.vxid) rxreq" })
    #expect(records.filter { $0 == "Begin req \(session.vxid) rxreq" }.count == 2)
    #expect(records.filter { $0 == "ReqStart 192.0.2.7 51234 tls" }.count == 2)
    #expect(records.contains { $0.hasPrefix("SessClose RESP_CLOSE 0.") })
    let opened = try log.records(["-g", "session", "-i", "SessOpen"])
    #expect(opened.count == 1 && opened[0].hasPrefix("SessOpen 192.0.2.7 51234 tls 2001:db8::1 443 1"))
    #expect(opened[0].hasSuffix(" 21"))
    #expect(try log.lines(["-F", "%U"]) == ["/a", "/b"], "a session gives no line")
  }
}

extension String {
  /// How often a text occurs.
  func components(_ text: String) -> Int { ranges(of: text).count }
}
