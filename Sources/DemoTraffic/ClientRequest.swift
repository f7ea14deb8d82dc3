import VarnishLog

/// The client's side of one attempt at a request.
struct ClientRequest {
  let exchange: Exchange
  /// The attempt's index.
  let index: Int
  let visitor: Visitor
  let origin: ExchangeWriter.Origin
  /// When this attempt begins, and when the first one began.
  let start: Int, firstStart: Int

  private var attempt: Attempt { exchange.attempts[index] }
  private var answer: Answer { attempt.answer }

  /// The requested resource.
  var resource: Resource { exchange.resource }

  private var isHTTP2: Bool { visitor.transport == .http2 }

  private var isIncluded: Bool {
    if case .include = origin { true } else { false }
  }

  /// The reason for which a backend is asked, as in the log.
  var fetchReason: String {
    switch attempt.lookup {
    case .pass: "pass"
    case .pipe: "pipe"
    case .hit, .miss, .synth: "fetch"
    }
  }

  private var receivedHeaders: [Header] {
    var referrer: String?
    if case .session(_, let from) = origin { referrer = from }
    return Messages.request(
      resource, visitor, isIncluded ? Answer(status: 200, byteCount: 0) : answer, referrer: referrer)
  }

  /// The headers that are passed on to a backend.
  var forwardedHeaders: [Header] {
    let dropped: Set<String> =
      switch fetchReason {
      case "pipe": []
      case "pass": ["accept-encoding"]
      default: ["cookie", "accept-encoding", "range", "if-none-match"]
      }
    return receivedHeaders.filter { !dropped.contains($0.name.lowercased()) }
      + [Header("X-Forwarded-For", visitor.address)]
  }

  // MARK: Writing

  func write(to records: inout RecordWriter) {
    var times = Timeline(start: start, origin: firstStart)
    records.begin(attempt.vxid, .client)
    records.add(.begin, "req \(parent)")
    writeBeginning(&times, to: &records)
    let headers = receivedHeaders
    records.add(.reqStart, "\(visitor.address) \(visitor.port) a0")
    records.add(.reqMethod, resource.method)
    records.add(.reqURL, resource.url)
    records.add(.reqProtocol, isHTTP2 ? "HTTP/2.0" : "HTTP/1.1")
    records.add(.reqHeader, headers: headers + [Header("X-Forwarded-For", visitor.address)])
    decide(to: &records)
    let received = resource.method.utf8.count + resource.url.utf8.count + 13 + Header.byteCount(headers)
    if case .pipe = attempt.lookup {
      writePipe(received, &times, to: &records)
    } else {
      wait(&times, to: &records)
      let head = writeAnswer(&times, to: &records)
      if attempt.isRestarted {
        writeRestart(&times, to: &records)
      } else {
        deliver(received, head, &times, to: &records)
      }
    }
    records.end()
  }

  private var parent: String {
    if index > 0 { return "\(exchange.attempts[index - 1].vxid) restart" }
    return switch origin {
    case .session(let vxid, _): "\(vxid) rxreq"
    case .include(let vxid): "\(vxid) esi"
    }
  }

  private func writeBeginning(_ times: inout Timeline, to records: inout RecordWriter) {
    records.add(.timestamp, times.stamp("Start"))
    guard index == 0 else { return }
    guard !isIncluded else {
      records.add(.reqURL, resource.url)
      return
    }
    if isHTTP2 { records.add(.reqProtocol, "HTTP/2.0") }
    records.add(.timestamp, times.stamp("Req"))
    records.add(.vclUse, "boot")
  }

  /// Writes the steps of the rules up to the lookup in the cache.
  private func decide(to records: inout RecordWriter) {
    records.add(.vclCall, "RECV")
    records.add(.vclLog, "tenant:\(resource.host == Site.films ? "films" : "shop")")
    if resource.handling == .cache, let cookie = visitor.cookie {
      records.add(.reqUnset, "\(isHTTP2 ? "cookie" : "Cookie"): \(cookie)")
    }
    let name = isHTTP2 ? "accept-encoding" : "Accept-Encoding"
    records.add(.reqUnset, "\(name): gzip, deflate, br")
    records.add(.reqHeader, "Accept-Encoding: gzip")
    switch attempt.lookup {
    case .hit, .miss: records.add(.vclReturn, "hash")
    case .pass: records.add(.vclReturn, "pass")
    case .pipe: records.add(.vclReturn, "pipe")
    case .synth: records.add(.vclReturn, "synth")
    }
    records.call("HASH", "lookup")
    switch attempt.lookup {
    case .hit(let object):
      records.add(.hit, "\(object.vxid) \(LogTime.seconds(object.microsecondsLeft)) 10.000000 0.000000")
      records.call("HIT", "deliver")
    case .miss: records.call("MISS", "fetch")
    case .pass: records.call("PASS", "fetch")
    case .pipe, .synth: break
    }
    if let fetch = attempt.fetches.first { records.add(.link, "bereq \(fetch.vxid) \(fetchReason)") }
  }

  /// Writes the records between the decision and the response.
  private func wait(_ times: inout Timeline, to records: inout RecordWriter) {
    guard !attempt.fetches.isEmpty else { return }
    var spent = attempt.deciding
    if Messages.bodyByteCount(resource) > 0 {
      records.add(.storage, "malloc Transient")
      records.add(.timestamp, times.stamp("ReqBody", after: spent))
      spent = 0
    }
    records.add(.timestamp, times.stamp("Fetch", after: spent + attempt.waiting))
  }

  /// - Returns: the head of the response.
  private func writeAnswer(_ times: inout Timeline, to records: inout RecordWriter) -> [Header] {
    var headers = answerHeaders(times.now)
    records.add(.respProtocol, "HTTP/1.1")
    records.add(.respStatus, "\(answer.status)")
    records.add(.respReason, Answer.reason(answer.status))
    if case .hit(let object) = attempt.lookup {
      headers += [
        Header("X-Varnish", "\(attempt.vxid) \(object.vxid)"), Header("Age", "\(object.ageSeconds)"),
      ]
    } else if case .synth = attempt.lookup {
      headers.append(Header("X-Varnish", "\(attempt.vxid)"))
    } else {
      headers += [Header("X-Varnish", "\(attempt.vxid)"), Header("Age", "0")]
    }
    if case .synth = attempt.lookup {
      records.add(.respHeader, headers: headers)
      records.add(.vclCall, "SYNTH")
      if case .synth(_, .some(let location)) = resource.handling {
        headers.append(Header("Location", location))
        records.add(.respHeader, headers: [Header("Location", location)])
      }
      records.add(.vclReturn, "deliver")
      return headers
    }
    headers.append(Header("Via", "1.1 varnish (Varnish/7.1)"))
    if answer.status == 200 { headers.append(Header("Accept-Ranges", "bytes")) }
    records.add(.respHeader, headers: headers)
    records.add(.vclCall, "DELIVER")
    if attempt.isRestarted { return headers }
    var verdict = "MISS"
    if case .hit = attempt.lookup { verdict = "HIT" }
    headers.append(Header("X-Cache", verdict))
    records.add(.respHeader, headers: [Header("X-Cache", verdict)])
    records.add(.vclReturn, "deliver")
    return headers
  }

  private func answerHeaders(_ moment: Int) -> [Header] {
    if case .synth = attempt.lookup { return made(moment) }
    if answer.isMadeUp { return made(moment) }
    var moment = moment
    if case .hit(let object) = attempt.lookup { moment -= object.ageSeconds * 1_000_000 }
    return Messages.response(
      resource, attempt.fetches.last?.backend ?? resource.backend, status: answer.status,
      byteCount: answer.byteCount, isCompressed: answer.isCompressed, at: moment)
  }

  private func made(_ moment: Int) -> [Header] {
    [
      Header("Date", LogTime.date(moment)), Header("Server", "Varnish"),
      Header("Content-Type", "text/html; charset=utf-8"),
    ]
  }

  // MARK: Endings

  private func writeRestart(_ times: inout Timeline, to records: inout RecordWriter) {
    records.add(.vclReturn, "restart")
    records.add(.timestamp, times.stamp("Process", after: 4))
    records.add(.timestamp, times.stamp("Restart", after: 1))
    records.add(.link, "req \(exchange.attempts[index + 1].vxid) restart")
  }

  private func deliver(
    _ received: Int, _ head: [Header], _ times: inout Timeline, to records: inout RecordWriter
  ) {
    let isImmediate = attempt.fetches.isEmpty
    records.add(
      .timestamp, times.stamp("Process", after: attempt.processing + (isImmediate ? attempt.deciding : 0)))
    var added = writeCondition(to: &records)
    if !isIncluded, !isHTTP2 {
      let isChunked = !attempt.includes.isEmpty
      if isChunked {
        records.add(.respUnset, "Content-Length: \(answer.byteCount)")
        added.append(Header("Transfer-Encoding", "chunked"))
      }
      added.append(Header("Connection", "keep-alive"))
      records.add(.respHeader, headers: added.suffix(isChunked ? 2 : 1))
    }
    if isHTTP2, !isIncluded { records.add(.respProtocol, "HTTP/2.0") }
    for include in attempt.includes { records.add(.link, "req \(include.attempts[0].vxid) esi") }
    let including = attempt.includes.reduce(0) { $0 + $1.duration }
    records.add(.timestamp, times.stamp("Resp", after: including + attempt.sending))
    let included = attempt.includes.reduce(0) { sum, include in
      sum + (include.attempts.last.map { $0.answer.sentByteCount("GET") } ?? 0)
    }
    let body = answer.sentByteCount(resource.method) + included
    guard !isIncluded else {
      records.add(.reqAcct, "0 0 0 0 \(body) \(body)")
      return
    }
    // HTTP/2 mostly sends names and values of headers as numbers.
    let sent = (isHTTP2 ? 9 : 17) + Header.byteCount(head + added) / (isHTTP2 ? 3 : 1)
    let asked = isHTTP2 ? received / 4 : received
    let brought = Messages.bodyByteCount(resource)
    records.add(.reqAcct, "\(asked) \(brought) \(asked + brought) \(sent) \(body) \(sent + body)")
  }

  /// Writes the effect of the client's conditions, such as If-Modified-Since.
  private func writeCondition(to records: inout RecordWriter) -> [Header] {
    switch answer.condition {
    case .none:
      records.add(.filters, attempt.includes.isEmpty ? "" : " esi")
      return []
    case .notModified:
      records.add(.respProtocol, "HTTP/1.1")
      records.add(.respStatus, "304")
      records.add(.respReason, Answer.reason(304))
      records.add(.filters, "")
      records.add(.respUnset, "Content-Length: \(answer.byteCount)")
      return []
    case .range(let range):
      let place = Header(
        "Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(answer.byteCount)")
      let length = Header("Content-Length", "\(range.count)")
      records.add(.filters, " range")
      records.add(.respHeader, headers: [place])
      records.add(.respProtocol, "HTTP/1.1")
      records.add(.respStatus, "206")
      records.add(.respReason, Answer.reason(206))
      records.add(.respUnset, "Content-Length: \(answer.byteCount)")
      records.add(.respHeader, headers: [length])
      return [place]
    }
  }

  private func writePipe(_ received: Int, _ times: inout Timeline, to records: inout RecordWriter) {
    records.call("PIPE", "pipe")
    records.add(.timestamp, times.stamp("Process", after: attempt.deciding))
    records.add(.timestamp, times.stamp("Pipe", after: attempt.waiting))
    records.add(.timestamp, times.stamp("PipeSess", after: attempt.processing + attempt.sending))
    records.add(.pipeAcct, "\(received) \(received + 64) 0 \(answer.byteCount)")
  }
}
