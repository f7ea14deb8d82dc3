import Glibc
@testable import Metrics
import Platform
import TestSupport
import Testing

/// The metrics server, with clients that are slow, broken or hostile.
@Suite(.limit(minutes: 2))
struct MetricsServerTests {
  /// A server with some counted requests, on a port of its own.
  private final class Served: Sendable {
    let port: UInt16
    private let server: MetricsServer

    init(
      sets: Int = 1, _ change: (inout ServerLimits) -> Void = { _ in }
    ) throws {
      var settings = RequestSettings()
      settings.setsMax = sets
      settings.valuesMax = LabelValues.limitMax
      var book = RequestBook(settings)
      for number in 0..<sets {
        let line = "c\thost\(number)\tGET\t200\thit\t-\t1000\t0.001\t1\t1\n"
        // Half of the values are reserved for hosts that occur often.
        let times = number < LabelValues.limitMax / 2 ? 1 : LabelCandidates.countMin
        for _ in 0..<times { Array(line.utf8).withUnsafeBytes { book.count($0) } }
      }
      var limits = MetricsServer.limits
      change(&limits)
      let socket = try ListenAddress("127.0.0.1:0").listen()
      port = socket.port ?? 0
      server = try MetricsServer(socket, MetricsCollector(Guarded(book), nil, nil), limits)
    }

    deinit { server.end() }
  }

  @Test func `metrics are served in the form that is asked for`() throws {
    let served = try Served()
    let text = try WebAnswer.get("/metrics", port: served.port)
    #expect(text.status == 200 && text.field("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
    #expect(text.field("Content-Length") == "\(text.text.utf8.count)")
    #expect(try MetricsText(text.text)["spillway_requests_total"] == 1)
    let open = try WebAnswer.get(
      "/metrics?x=1", port: served.port, accept: "application/openmetrics-text;version=1.0.0,*/*;q=0.1")
    #expect(open.field("Content-Type") == "application/openmetrics-text; version=1.0.0; charset=utf-8")
    #expect(try MetricsText(open.text, isOpen: true)["spillway_requests_total"] == 1)
    let head = try WebAnswer.get("/metrics", port: served.port, method: "HEAD")
    #expect(
      head.status == 200 && head.text.isEmpty && head.field("Content-Length") == "\(text.text.utf8.count)")
    let page = try WebAnswer.get("/", port: served.port)
    #expect(page.status == 200 && page.text.contains("href=\"/metrics\""))
    #expect(try WebAnswer.get("http://somewhere/metrics", port: served.port).status == 200)
  }

  @Test(arguments: [
    ("GET /other HTTP/1.1\r\n\r\n", 404), ("GET /metrics/ HTTP/1.1\r\n\r\n", 404),
    ("POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 405), ("OPTIONS * HTTP/1.1\r\n\r\n", 405),
    ("GET /metrics HTTP/2.0\r\n\r\n", 400), ("GET /metrics\r\n\r\n", 400), ("\u{16}\u{3}\u{1}\n", 400),
    ("GET  /metrics HTTP/1.1\r\n\r\n", 400), ("G(T /metrics HTTP/1.1\r\n\r\n", 400),
    ("GET /metrics HTTP/1.1\r\nno field\r\n\r\n", 400), ("GET /metrics HTTP/1.1\r\n: x\r\n\r\n", 400),
    ("\r\n\r\nGET /metrics HTTP/1.0\n\n", 200), ("GET /metrics HTTP/1.1\r\nA: \u{FFFD}\r\n\r\n", 200),
  ])
  func `what can't be served is answered with its reason`(request: String, status: Int) throws {
    let served = try Served()
    let answer = try WebAnswer.ask(Array(request.utf8), port: served.port)
    #expect(answer.status == status)
    #expect(answer.field("Connection") == "close")
    #expect(status != 405 || answer.field("Allow") == "GET, HEAD")
  }

  @Test func `a head that is too long is refused, however much of it comes`() throws {
    let served = try Served()
    let field = Array("X: \(String(repeating: "a", count: 100))\r\n".utf8)
    for count in [90, 20_000] {
      let bytes = Array("GET /metrics HTTP/1.1\r\n".utf8) + (0..<count).flatMap { _ in field }
      #expect(try WebAnswer.ask(bytes, port: served.port).status == 431)
    }
    // A request line of the maximum length.
    let line = "GET /metrics HTTP/1.1\r\n"
    let rest = HTTPRequest.byteCountMax - line.utf8.count - "X: \r\n\r\n".utf8.count
    let full = line + "X: \(String(repeating: "a", count: rest))\r\n\r\n"
    #expect(
      HTTPRequest(Array(full.utf8), hasEnded: false) == .document(path: "/metrics", accept: "", isHead: false)
    )
    #expect(
      HTTPRequest(Array(full.replacing("X: ", with: "X: a").utf8), hasEnded: false) == .refused(.headTooLarge)
    )
  }

  @Test func `one that has sent half a request and no more is told so`() throws {
    let served = try Served()
    let client = try WebClient(port: served.port)
    client.send(Array("GET /metr".utf8))
    client.endSending()
    #expect(try WebAnswer(client.rest()).status == 400)
    let silent = try WebClient(port: served.port)
    silent.endSending()
    #expect(silent.rest().isEmpty)
    let whole = try WebClient(port: served.port)
    whole.send(Array("GET /metrics HTTP/1.1\r\n\r\n".utf8))
    whole.endSending()
    #expect(try WebAnswer(whole.rest()).status == 200)
  }

  @Test func `one that takes too long to ask is cut off at its deadline, and holds up no other`() throws {
    let served = try Served { $0.requestNanoseconds = 300_000_000 }
    let slow = try WebClient(port: served.port)
    slow.send(Array("GET /metrics HTTP/1.1\r\nX: ".utf8))
    #expect(try WebAnswer.get("/metrics", port: served.port).status == 200)
    #expect(try WebAnswer(slow.rest()).status == 408)
  }

  @Test func `one that doesn't read its answer is cut off at its deadline`() throws {
    // The answer is larger than what the kernel buffers for the client, and only one client is served at a
    // time.
    let served = try Served(sets: 4000) { limits in
      limits.answerNanoseconds = 3_000_000_000
      limits.clientsMax = 1
    }
    let whole = try WebAnswer.get("/metrics", port: served.port)
    #expect(whole.status == 200 && whole.text.utf8.count > 10 << 20)
    let slow = try WebClient(port: served.port, receiveBytes: 4096)
    slow.send(Array("GET /metrics HTTP/1.1\r\n\r\n".utf8))
    // This client's turn comes when the slow one has gone.
    #expect(try WebAnswer.get("/", port: served.port).status == 200)
    #expect(slow.rest().count < whole.text.utf8.count)
  }

  @Test func `one that reads slowly holds up no other`() throws {
    let served = try Served(sets: 1500)
    let slow = try WebClient(port: served.port)
    slow.send(Array("GET /metrics HTTP/1.1\r\n\r\n".utf8))
    for _ in 0..<3 { #expect(try WebAnswer.get("/metrics", port: served.port).status == 200) }
    #expect(try WebAnswer(slow.rest()).text.utf8.count > 5 << 20)
  }

  @Test func `of more than are served at once, those that say nothing are turned away`() throws {
    let served = try Served { $0.clientsMax = 4 }
    let silent = try (0..<4).map { _ in try Silent(port: served.port) }
    #expect(try WebAnswer.get("/metrics", port: served.port).status == 200)
    // The client that connected first is the first to be turned away.
    #expect(try WebAnswer(silent[0].client.rest()).status == 503)
    for _ in 0..<200 { _ = try WebClient(port: served.port) }
    #expect(try WebAnswer.get("/metrics", port: served.port).status == 200)
  }

  private final class Silent {
    let client: WebClient
    init(port: UInt16) throws { client = try WebClient(port: port) }
  }

  @Test func `any cut of a request is understood as the whole`() {
    let request = Array(
      "HEAD /metrics?a HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\naccept: */*\r\n\r\n".utf8)
    for end in 0..<request.count {
      #expect(HTTPRequest(Array(request[..<end]), hasEnded: false) == .incomplete)
    }
    #expect(
      HTTPRequest(request, hasEnded: false)
        == .document(path: "/metrics", accept: " text/plain, */*", isHead: true))
  }

  @Test(arguments: [
    "no request\r\n" + String(repeating: "X: a\r\n", count: 2000),
    String(repeating: "\r\n", count: 5000) + "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\n" + String(repeating: "X: a\r\n", count: 2000),
    "GET / HTTP/1.1\r\nno field\r\nX: a\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    "GET /metrics HTTP/1.1\r\nAccept: \u{301}\r\n\r", "HEAD / HTTP/1.0\r\n\r\nmore",
  ])
  func `pieces of a request get the answer that the whole gets`(request: String) {
    let bytes = Array(request.utf8)
    let whole = Self.answer(to: [bytes[...]])
    #expect(!whole.isEmpty)
    // A long request byte by byte would take too long.
    for size in bytes.count < 300 ? [1, 7] : [61, 4096] {
      let pieces = stride(from: 0, to: bytes.count, by: size).map { bytes[$0...].prefix(size) }
      #expect(Self.answer(to: pieces) == whole, "pieces of \(size)")
    }
  }

  /// The answer to a request that arrives in these pieces, with nothing after them.
  private static func answer(to pieces: [ArraySlice<UInt8>]) -> [UInt8] {
    var conversation = MetricsConversation()
    for piece in pieces {
      if let answer = conversation.take(piece) { return answer }
    }
    return conversation.take([]) ?? []
  }

  @Test func `addresses are read, and what isn't one refused`() throws {
    #expect(try ListenAddress("[::1]:9131") == .tcp(host: "::1", port: 9131))
    #expect(try ListenAddress("unix:/run/x") == .unix(path: "/run/x"))
    for text in ["", "9131", ":9131", "host:", "host:x", "host:70000", "::1:80", "[]:80", "unix:", "h:+1"] {
      #expect(throws: (any Error).self, "\(text)") { try ListenAddress(text) }
    }
  }
}
