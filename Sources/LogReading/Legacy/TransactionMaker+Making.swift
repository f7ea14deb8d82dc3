import VarnishLog

/// How transactions are put together of what was kept.
extension TransactionMaker {
  mutating func append(_ tag: UInt8, _ vxid: UInt64, _ side: Side, _ text: String) {
    made.append(tag: tag, vxid: vxid, side: side, text)
  }

  mutating func append(timestamp label: String, _ vxid: UInt64, _ side: Side, _ values: String) {
    made.append(tag: tags.timestamp, vxid: vxid, side: side, "\(label): \(values)")
  }

  static var zero: String { "0.000000000" }

  mutating func emit(_ fetch: OpenFetch, parent: UInt64, start: String?, to endPlace: UInt64) {
    let first = made.byteCount
    append(tags.begin, fetch.vxid, .backend, "bereq \(parent) \(fetch.reason)")
    if let start, !fetch.isConverted {
      append(timestamp: "Start", fetch.vxid, .backend, "\(start) \(Self.zero) \(Self.zero)")
    }
    var cursor = fetch.records.run().makeCursor()
    while let record = cursor.next() { made.append(record) }
    let (sent, head) = (fetch.headers.sent.total, fetch.headers.received.total)
    let body = fetch.bodyByteCount.flatMap { Int($0) }.map { max(0, min($0, .max / 4)) } ?? 0
    if !fetch.isConverted {
      append(tags.bereqAcct, fetch.vxid, .backend, "\(sent) 0 \(sent) \(head) \(body) \(head + body)")
    }
    append(tags.end, fetch.vxid, .backend, "")
    pieces.append(
      Piece(
        start: first, end: made.byteCount, place: fetch.place, endPlace: max(fetch.place, endPlace),
        shape: .plain))
  }

  /// Makes the transactions of a request: one for each of its parts, and one for each fetch in front of them.
  mutating func finish(_ request: OpenRequest, _ reqEnd: LogBytes?, to endPlace: UInt64) {
    guard !request.isGivenUp else { return }
    if requests[request.xid] === request { requests[request.xid] = nil }
    let times = RequestTimes(reqEnd)
    if let session = request.session, session.accepted == nil { session.accepted = times.accepted }
    for fetch in request.fetches {
      fetch.request = nil
      emit(fetch, parent: request.vxid(ofPart: fetch.part), start: times.start, to: endPlace)
      release(fetch)
      // Later records of the fetch come too late.
      if let connection = fetch.descriptor.flatMap({ connections[$0] }), connection.fetch === fetch {
        connection.fetch = nil
      }
    }
    release(request)
    for part in request.parts.indices { emit(part, of: request, times, to: endPlace) }
  }

  mutating func emit(_ part: Int, of request: OpenRequest, _ times: RequestTimes, to endPlace: UInt64) {
    let vxid = request.vxid(ofPart: part)
    let isLast = part == request.parts.count - 1
    let first = made.byteCount
    let begin: String
    if part > 0 {
      begin = "req \(request.vxid(ofPart: part - 1)) restart"
    } else if let restarted = request.restarted {
      begin = "req \(restarted) restart"
    } else {
      begin = "req \(request.session?.vxid ?? 0) rxreq"
    }
    append(tags.begin, vxid, .client, begin)
    if let start = times.start, !request.isConverted {
      append(timestamp: "Start", vxid, .client, "\(start) \(Self.zero) \(Self.zero)")
      append(timestamp: "Req", vxid, .client, "\(start) \(Self.zero) \(Self.zero)")
    }
    if part > 0 { copy(0..<(request.headEnd ?? 0), of: request, vxid) }
    let end = isLast ? request.records.byteCount : request.parts[part + 1]
    let hasLinks = copy(request.parts[part]..<end, of: request, vxid)
    if let restart = request.restart, isLast {
      append(tags.link, vxid, .client, "req \(restart) restart")
    } else if isLast {
      appendEnd(request, times)
    } else {
      append(tags.link, vxid, .client, "req \(request.vxid(ofPart: part + 1)) restart")
    }
    append(tags.end, vxid, .client, "")
    pieces.append(
      Piece(
        start: first, end: made.byteCount, place: request.place, endPlace: max(request.place, endPlace),
        shape: hasLinks || !isLast || request.restart != nil ? .linked : .plain))
  }

  /// Copies records of a request, without links to fetches that haven't begun; returns whether there are
  /// other links.
  @discardableResult
  mutating func copy(_ range: Range<Int>, of request: OpenRequest, _ vxid: UInt64) -> Bool {
    var offset = range.lowerBound
    var hasLinks = false
    var links = request.links.drop { $0.offset < range.lowerBound }
    var cursor = request.records.run(from: offset).makeCursor()
    while offset < range.upperBound, let record = cursor.next() {
      let present = offset
      offset += record.bytes.count
      if record.tag == tags.link {
        guard links.first?.offset == present, let fetch = links.removeFirst().fetch, fetch.descriptor != nil
        else {
          continue
        }
        append(tags.link, vxid, .client, "bereq \(fetch.vxid) \(fetch.reason)")
        hasLinks = true
        continue
      }
      made.append(tag: record.tag, vxid: vxid, side: .client, record.payload.droppingFinalNUL)
    }
    return hasLinks
  }

  mutating func appendEnd(_ request: OpenRequest, _ times: RequestTimes) {
    let vxid = UInt64(request.xid)
    let head = request.headers.received.total
    guard !request.isConverted else { return }
    if let firstByte = times.firstByte {
      append(timestamp: request.isPiped ? "Pipe" : "Process", vxid, .client, firstByte)
    }
    if let end = times.end {
      append(timestamp: request.isPiped ? "PipeSess" : "Resp", vxid, .client, end)
    }
    if request.isPiped {
      // How much went through isn't logged.
      append(tags.pipeAcct, vxid, .client, "\(head) \(request.fetches.last?.headers.sent.total ?? 0)")
    } else if let length = request.bodyByteCount, let body = Int(length), (0...(.max / 4)).contains(body) {
      let sent = request.headers.sent.total
      append(tags.reqAcct, vxid, .client, "\(head) 0 \(head) \(sent) \(body) \(sent + body)")
    }
  }

  mutating func finish(
    _ session: OpenSession?, seconds: String?, descriptor: UInt32, to endPlace: UInt64
  ) {
    guard let session else { return }
    let first = made.byteCount
    append(tags.begin, session.vxid, .client, "sess 0 HTTP/1")
    append(
      tags.sessOpen, session.vxid, .client, "\(session.peer) \(session.accepted ?? "0.000000") \(descriptor)")
    for request in session.requests { append(tags.link, session.vxid, .client, "req \(request) rxreq") }
    append(
      tags.sessClose, session.vxid, .client, "\(session.closeReason ?? "REM_CLOSE") \(seconds ?? "0").000")
    append(tags.end, session.vxid, .client, "")
    pieces.append(
      Piece(
        start: first, end: made.byteCount, place: session.place, endPlace: max(session.place, endPlace),
        shape: session.requests.isEmpty ? .plain : .linked))
  }
}
