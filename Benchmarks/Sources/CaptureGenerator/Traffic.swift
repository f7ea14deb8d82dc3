/// Simulates a server with some dozen open connections and writes the log that it would leave.
///
/// As in a log taken with `varnishlog -g raw -w`, the records of a request or a fetch are contiguous, because
/// a server writes them in one piece, and a fetch may come before the request that caused it. The records of
/// sessions stand alone, in between. If requests are to be open, each is written in two pieces instead, with
/// the records of others in between.
struct Traffic: ~Copyable {
  private struct Session {
    let vxid: UInt32
    let visitor: Visitor
    let opened: Moment
    var requestsLeft: Int
    var referer: String?
  }

  /// A request of which the first records have been written.
  private struct OpenRequest {
    let vxid: UInt32
    let page: Page
    let visitor: Visitor
    let started: Moment
    let backend: UInt32?
    let isFetchedBefore: Bool
  }

  private static let connections = 48
  private static let date = "Tue, 14 Nov 2023 22:13:20 GMT"

  private(set) var writer: CaptureWriter
  /// How many transactions there are: sessions, requests and fetches.
  private(set) var transactionCount = 0
  private var random: SplitMix
  private var sessions: [Session] = []
  private var openRequests: [OpenRequest] = []
  /// How many requests may be open, with only the first records written.
  private let openRequestsMax: Int
  private var nextVXID: UInt32 = 2
  private var now = Moment(microseconds: 1_700_000_000_000_000)

  /// Prepares to write to a file.
  ///
  /// - Parameter openRequests: How many requests are begun before the first is ended; if 0, the records of each
  ///   request are contiguous.
  init(writer: consuming CaptureWriter, seed: UInt64, openRequests: Int = 0) {
    self.writer = writer
    openRequestsMax = openRequests
    random = SplitMix(seed: seed)
  }

  /// Writes the log of `count` requests; every session ends.
  ///
  /// - Returns: Whether all of it could be written.
  mutating func run(requests count: Int) -> Bool {
    for _ in 0..<count {
      if sessions.count < Self.connections { openSession() }
      let index = Int.random(in: 0..<sessions.count, using: &random)
      request(in: index)
      if sessions[index].requestsLeft == 0 { closeSession(index) }
      now = now + Int.random(in: 20..<80, using: &random)
    }
    while !openRequests.isEmpty { endRequest(openRequests.count - 1) }
    while !sessions.isEmpty { closeSession(0) }
    return writer.flush()
  }

  private mutating func takeVXID() -> UInt32 {
    defer { nextVXID = nextVXID % 0x3FFF_FFFF + 1 }
    transactionCount += 1
    return nextVXID
  }

  // MARK: - Sessions

  private mutating func openSession() {
    let session = Session(
      vxid: takeVXID(), visitor: Visitor(&random), opened: now,
      requestsLeft: Int.random(in: 1...14, using: &random))
    let visitor = session.visitor
    writer.add(session.vxid, .client, .begin, "sess 0 HTTP/1")
    writer.add(
      session.vxid, .client, .sessOpen,
      "\(visitor.address) \(visitor.port) a0 198.51.100.10 80 \(now.text) 27")
    sessions.append(session)
  }

  private mutating func closeSession(_ index: Int) {
    let session = sessions.remove(at: index)
    let open = now.microseconds - session.opened.microseconds
    let duration = Moment(microseconds: open).text.dropLast(3)
    writer.add(session.vxid, .client, .sessClose, "REM_CLOSE \(duration)")
    writer.add(session.vxid, .client, .end)
  }

  // MARK: - Requests

  private mutating func request(in index: Int) {
    let session = sessions[index]
    let page = Page(&random)
    let vxid = takeVXID()
    writer.add(session.vxid, .client, .link, "req \(vxid) rxreq")
    let fetches = page.handling == .miss || page.handling == .pass
    let backend = fetches ? takeVXID() : nil
    let isFetchedBefore = random.chance(50)
    if let backend, isFetchedBefore { fetch(backend, for: vxid, page, session.visitor) }
    receive(vxid, session, page)
    openRequests.append(
      OpenRequest(
        vxid: vxid, page: page, visitor: session.visitor, started: now, backend: backend,
        isFetchedBefore: isFetchedBefore))
    if openRequestsMax == 0 {
      endRequest(0)
    } else if openRequests.count > openRequestsMax {
      endRequest(Int.random(in: 0..<openRequests.count, using: &random))
    }
    sessions[index].requestsLeft -= 1
    if page.kind.destination == "document" {
      sessions[index].referer = "https://\(session.visitor.host)\(page.url)"
    }
  }

  /// Writes the missing records of an open request.
  private mutating func endRequest(_ index: Int) {
    openRequests.swapAt(index, openRequests.count - 1)
    let request = openRequests.removeLast()
    decide(request.vxid, request.page, request.backend)
    deliver(request.vxid, request.page, since: request.started)
    if let backend = request.backend, !request.isFetchedBefore {
      fetch(backend, for: request.vxid, request.page, request.visitor)
    }
  }

  private mutating func receive(_ vxid: UInt32, _ session: Session, _ page: Page) {
    let visitor = session.visitor
    writer.add(vxid, .client, .begin, "req \(session.vxid) rxreq")
    var times = Timeline(start: now)
    writer.add(vxid, .client, .timestamp, times.stamp("Start", after: 0))
    writer.add(vxid, .client, .timestamp, times.stamp("Req", after: 0))
    writer.add(vxid, .client, .vclUse, "boot")
    writer.add(vxid, .client, .reqStart, "\(visitor.address) \(visitor.port) a0")
    writer.add(vxid, .client, .reqMethod, page.method)
    writer.add(vxid, .client, .reqURL, page.url)
    writer.add(vxid, .client, .reqProtocol, "HTTP/1.1")
    for header in browserHeaders(session, page) { writer.add(vxid, .client, .reqHeader, header) }
    writer.add(vxid, .client, .vclCall, "RECV")
    writer.add(vxid, .client, .reqUnset, "Accept-Encoding: gzip, deflate, br")
    writer.add(vxid, .client, .reqHeader, "Accept-Encoding: gzip")
  }

  private func browserHeaders(_ session: Session, _ page: Page) -> [String] {
    let visitor = session.visitor
    var headers = ["Host: \(visitor.host)"]
    if let platform = visitor.agent.hints {
      headers.append(#"sec-ch-ua-platform: "\#(platform)""#)
    }
    headers += [
      "User-Agent: \(visitor.agent.name)", "Accept: \(page.kind.accept)",
      "Accept-Encoding: gzip, deflate, br", "Accept-Language: \(visitor.language)",
    ]
    if let referer = session.referer { headers.append("Referer: \(referer)") }
    if let cookie = visitor.cookie { headers.append("Cookie: \(cookie)") }
    return headers + ["X-Forwarded-For: \(visitor.address)"]
  }

  private mutating func decide(_ vxid: UInt32, _ page: Page, _ backend: UInt32?) {
    if page.handling == .synth {
      writer.add(vxid, .client, .vclReturn, "synth")
      return
    }
    writer.add(vxid, .client, .vclReturn, page.handling == .pass ? "pass" : "hash")
    writer.add(vxid, .client, .vclCall, "HASH")
    writer.add(vxid, .client, .vclReturn, "lookup")
    switch page.handling {
    case .hit:
      let object = UInt32.random(in: 2...max(2, vxid), using: &random)
      writer.add(vxid, .client, .hit, "\(object) 3219.482113 10.000000 0.000000")
      writer.add(vxid, .client, .vclCall, "HIT")
      writer.add(vxid, .client, .vclReturn, "deliver")
    case .miss: writer.add(vxid, .client, .vclCall, "MISS")
    case .pass: writer.add(vxid, .client, .vclCall, "PASS")
    case .synth: break
    }
    if let backend {
      writer.add(vxid, .client, .vclReturn, "fetch")
      let reason = page.handling == .pass ? "pass" : "fetch"
      writer.add(vxid, .client, .link, "bereq \(backend) \(reason)")
    }
  }

  private mutating func deliver(_ vxid: UInt32, _ page: Page, since started: Moment) {
    var times = Timeline(start: started)
    let isLocal = page.handling == .hit || page.handling == .synth
    let waited = Int.random(in: isLocal ? 30..<200 : 2_000..<300_000, using: &random)
    if !isLocal { writer.add(vxid, .client, .timestamp, times.stamp("Fetch", after: waited)) }
    writer.add(vxid, .client, .respProtocol, "HTTP/1.1")
    writer.add(vxid, .client, .respStatus, "\(page.status)")
    writer.add(vxid, .client, .respReason, page.reason)
    for header in responseHeaders(page) { writer.add(vxid, .client, .respHeader, header) }
    writer.add(vxid, .client, .respHeader, "X-Varnish: \(vxid)")
    writer.add(vxid, .client, .respHeader, "Age: \(isLocal ? vxid % 3600 : 0)")
    writer.add(vxid, .client, .respHeader, "Via: 1.1 varnish (Varnish/7.1)")
    writer.add(vxid, .client, .vclCall, page.handling == .synth ? "SYNTH" : "DELIVER")
    writer.add(vxid, .client, .respHeader, "X-Cache: \(page.handling == .hit ? "HIT" : "MISS")")
    writer.add(vxid, .client, .vclReturn, "deliver")
    writer.add(vxid, .client, .timestamp, times.stamp("Process", after: isLocal ? waited : 20))
    writer.add(vxid, .client, .filters, "")
    writer.add(vxid, .client, .respHeader, "Connection: keep-alive")
    let sending = Int.random(in: 10..<5_000, using: &random)
    writer.add(vxid, .client, .timestamp, times.stamp("Resp", after: sending))
    let received = Int.random(in: 600..<1200, using: &random)
    let head = Int.random(in: 300..<500, using: &random)
    writer.add(
      vxid, .client, .reqAcct,
      "\(received) 0 \(received) \(head) \(page.bodyBytes) \(head + page.bodyBytes)")
    writer.add(vxid, .client, .end)
  }

  private mutating func responseHeaders(_ page: Page) -> [String] {
    if page.handling == .synth {
      return [
        "Date: \(Self.date)", "Server: Varnish", "Location: https://www.example.com\(page.url)",
      ]
    }
    return originHeaders(page) + ["Accept-Ranges: bytes"]
  }

  private mutating func originHeaders(_ page: Page) -> [String] {
    [
      "Server: nginx/1.24.0", "Date: \(Self.date)", "Content-Type: \(page.kind.type)",
      "Content-Length: \(page.bodyBytes)", #"ETag: "\#(random.hexadecimal(16))""#,
      "Cache-Control: public, max-age=3600",
    ]
  }

  // MARK: - Fetches

  private mutating func fetch(
    _ vxid: UInt32, for parent: UInt32, _ page: Page, _ visitor: Visitor
  ) {
    let reason = page.handling == .pass ? "pass" : "fetch"
    var times = Timeline(start: now + 40)
    writer.add(vxid, .backend, .begin, "bereq \(parent) \(reason)")
    writer.add(vxid, .backend, .vclUse, "boot")
    writer.add(vxid, .backend, .timestamp, times.stamp("Start", after: 0))
    writer.add(vxid, .backend, .bereqMethod, page.method == "HEAD" ? "GET" : page.method)
    writer.add(vxid, .backend, .bereqURL, page.url)
    writer.add(vxid, .backend, .bereqProtocol, "HTTP/1.1")
    for header in [
      "Host: \(visitor.host)", "User-Agent: \(visitor.agent.name)", "Accept: \(page.kind.accept)",
      "Accept-Language: \(visitor.language)", "X-Forwarded-For: \(visitor.address)",
      "Accept-Encoding: gzip", "X-Varnish: \(vxid)",
    ] {
      writer.add(vxid, .backend, .bereqHeader, header)
    }
    writer.add(vxid, .backend, .vclCall, "BACKEND_FETCH")
    writer.add(vxid, .backend, .vclReturn, "fetch")
    writer.add(vxid, .backend, .timestamp, times.stamp("Fetch", after: 30))
    writer.add(vxid, .backend, .timestamp, times.stamp("Connected", after: 250))
    writer.add(
      vxid, .backend, .backendOpen, "31 web1 192.0.2.20 8080 192.0.2.10 45500 reuse")
    writer.add(vxid, .backend, .timestamp, times.stamp("Bereq", after: 45))
    let thinking = Int.random(in: 1_500..<250_000, using: &random)
    writer.add(vxid, .backend, .timestamp, times.stamp("Beresp", after: thinking))
    receiveFromBackend(vxid, page, &times)
  }

  private mutating func receiveFromBackend(
    _ vxid: UInt32, _ page: Page, _ times: inout Timeline
  ) {
    writer.add(vxid, .backend, .berespProtocol, "HTTP/1.1")
    writer.add(vxid, .backend, .berespStatus, "\(page.status)")
    writer.add(vxid, .backend, .berespReason, page.reason)
    for header in originHeaders(page) { writer.add(vxid, .backend, .berespHeader, header) }
    writer.add(
      vxid, .backend, .ttl, "RFC 3600 10 0 1700000000 1700000000 1700000000 0 3600 cacheable")
    writer.add(vxid, .backend, .vclCall, "BACKEND_RESPONSE")
    writer.add(vxid, .backend, .vclReturn, "deliver")
    writer.add(vxid, .backend, .timestamp, times.stamp("Process", after: 60))
    writer.add(vxid, .backend, .filters, "")
    writer.add(vxid, .backend, .storage, "malloc s0")
    writer.add(vxid, .backend, .fetchBody, "3 length stream")
    writer.add(vxid, .backend, .backendClose, "31 web1 recycle")
    writer.add(vxid, .backend, .timestamp, times.stamp("BerespBody", after: 900))
    writer.add(vxid, .backend, .length, "\(page.bodyBytes)")
    writer.add(
      vxid, .backend, .bereqAcct, "540 0 540 380 \(page.bodyBytes) \(380 + page.bodyBytes)")
    writer.add(vxid, .backend, .end)
  }
}
