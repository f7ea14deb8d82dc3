import VarnishLog

/// Writes the backend's side of a request.
struct FetchWriter {
  /// The number of the client's transaction.
  let parent: UInt64
  /// The reason for the fetch: `fetch`, `pass` or `pipe`.
  let reason: String
  let resource: Resource
  /// The request's head after the rules have changed it.
  let headers: [Header]

  /// Writes a fetch with its retries.
  ///
  /// - Parameters:
  ///   - start: when the first fetch begins.
  ///   - isLate: whether to write those that end after the client's transaction, or the others.
  func write(_ fetches: [Fetch], start: Int, isLate: Bool, to records: inout RecordWriter) {
    var begin = start
    for (index, fetch) in fetches.enumerated() {
      let origin = index == 0 ? begin : start
      let next = fetch.isRetried ? fetches[index + 1].vxid : nil
      let (from, why) = index == 0 ? (parent, reason) : (fetches[index - 1].vxid, "retry")
      if fetch.endsLate == isLate {
        records.begin(fetch.vxid, .backend)
        records.add(.begin, "bereq \(from) \(why)")
        var times = Timeline(start: begin, origin: origin)
        if reason == "pipe" {
          writePipe(fetch, &times, to: &records)
        } else {
          write(fetch, isFirst: index == 0, next: next, &times, to: &records)
        }
        records.end()
      }
      begin += fetch.headDuration
    }
  }

  private func write(
    _ fetch: Fetch, isFirst: Bool, next: UInt64?, _ times: inout Timeline, to records: inout RecordWriter
  ) {
    if isFirst { records.add(.vclUse, "boot") }
    records.add(.timestamp, times.stamp("Start"))
    let head = writeRequest(fetch, to: &records)
    records.call("BACKEND_FETCH", "fetch")
    records.add(.timestamp, times.stamp("Fetch", after: Fetch.preparing))
    if let fault = fetch.fault {
      writeFailure(fetch, fault, head: head, next: next, &times, to: &records)
      return
    }
    connect(fetch, &times, to: &records)
    records.add(.timestamp, times.stamp("Beresp", after: fetch.thinking - 1))
    let answer = Messages.response(
      resource, fetch.backend, status: fetch.status, byteCount: fetch.byteCount,
      isCompressed: fetch.isCompressed, at: times.now)
    records.add(.berespProtocol, "HTTP/1.1")
    records.add(.berespStatus, "\(fetch.status)")
    records.add(.berespReason, Answer.reason(fetch.status))
    records.add(.berespHeader, headers: answer)
    let seconds = times.now / 1_000_000
    let isKept = resource.handling == .cache && fetch.status == 200
    records.add(
      .ttl,
      "RFC \(isKept ? 600 : -1) 10 0 \(seconds) \(seconds) \(seconds) 0 \(isKept ? 600 : 0) "
        + (reason == "pass" ? "uncacheable" : "cacheable"))
    records.add(.vclCall, "BACKEND_RESPONSE")
    if !resource.fragments.isEmpty { records.add(.vclLog, "esi:\(resource.fragments.count)") }
    records.add(.vclReturn, "deliver")
    records.add(.timestamp, times.stamp("Process", after: Fetch.processing))
    records.add(.filters, resource.fragments.isEmpty ? "" : fetch.isCompressed ? " esi_gzip" : " esi")
    records.add(.storage, reason == "pass" ? "malloc Transient" : "malloc s0")
    records.add(.fetchBody, fetch.byteCount == 0 ? "0 none -" : "3 length stream")
    records.add(.backendClose, "\(descriptor(fetch)) \(fetch.backend.name) recycle")
    records.add(.timestamp, times.stamp("BerespBody", after: fetch.receiving))
    records.add(.length, "\(fetch.byteCount)")
    let received = 17 + Answer.reason(fetch.status).utf8.count + Header.byteCount(answer)
    account(sent: head, received: received, body: fetch.byteCount, to: &records)
  }

  /// - Returns: the size of the request's head in bytes.
  private func writeRequest(_ fetch: Fetch, to records: inout RecordWriter) -> Int {
    // A miss is fetched in full, even if the client asked for a part or for the head.
    let method = reason == "fetch" ? "GET" : resource.method
    var sent = headers
    if reason == "fetch" { sent.append(Header("Accept-Encoding", "gzip")) }
    sent.append(Header("X-Varnish", "\(reason == "pipe" ? parent : fetch.vxid)"))
    records.add(.bereqMethod, method)
    records.add(.bereqURL, resource.url)
    records.add(.bereqProtocol, "HTTP/1.1")
    records.add(.bereqHeader, headers: sent)
    return method.utf8.count + resource.url.utf8.count + 13 + Header.byteCount(sent)
  }

  private func connect(_ fetch: Fetch, _ times: inout Timeline, to records: inout RecordWriter) {
    records.add(.timestamp, times.stamp("Connected", after: fetch.connecting))
    records.add(
      .backendOpen,
      "\(descriptor(fetch)) \(fetch.backend.name) \(fetch.backend.address) 8080 192.0.2.10 \(fetch.port) "
        + (fetch.isReused ? "reuse" : "connect"))
    records.add(.timestamp, times.stamp("Bereq", after: 1))
  }

  private func descriptor(_ fetch: Fetch) -> Int { 24 + fetch.port % 40 }

  private func account(sent: Int, received: Int, body: Int, to records: inout RecordWriter) {
    let brought = reason == "pass" ? Messages.bodyByteCount(resource) : 0
    records.add(
      .bereqAcct, "\(sent) \(brought) \(sent + brought) \(received) \(body) \(received + body)")
  }

  // MARK: Other endings

  private func writeFailure(
    _ fetch: Fetch, _ fault: FetchFault, head: Int, next: UInt64?, _ times: inout Timeline,
    to records: inout RecordWriter
  ) {
    if fault.hasConnection { connect(fetch, &times, to: &records) }
    records.add(.fetchError, fault.text(fetch.backend))
    if fault.hasConnection {
      records.add(.backendClose, "\(descriptor(fetch)) \(fetch.backend.name) close \(fault.closing)")
    }
    records.add(.timestamp, times.stamp("Beresp", after: max(1, fetch.thinking)))
    records.add(.timestamp, times.stamp("Error", after: 1))
    records.add(.berespProtocol, "HTTP/1.1")
    records.add(.berespStatus, "503")
    records.add(.berespReason, Answer.reason(503))
    records.add(
      .berespHeader,
      headers: [Header("Date", LogTime.date(times.now)), Header("Server", "Varnish")])
    if let next {
      records.call("BACKEND_ERROR", "retry")
      records.add(.timestamp, times.stamp("Retry", after: 1))
      records.add(.link, "bereq \(next) retry")
      return
    }
    records.add(.vclCall, "BACKEND_ERROR")
    records.add(.berespHeader, headers: [Header("Content-Type", "text/html; charset=utf-8")])
    records.add(.vclReturn, "deliver")
    records.add(.storage, "malloc Transient")
    records.add(.length, "278")
    account(sent: fault.hasConnection ? head : 0, received: 0, body: 0, to: &records)
  }

  private func writePipe(_ fetch: Fetch, _ times: inout Timeline, to records: inout RecordWriter) {
    records.add(.timestamp, times.stamp("Start"))
    _ = writeRequest(fetch, to: &records)
    records.add(.timestamp, times.stamp("Process", after: 4))
    connect(fetch, &times, to: &records)
    records.add(.backendClose, "\(descriptor(fetch)) \(fetch.backend.name) close Piped transaction")
    records.add(.bereqAcct, "0 0 0 0 0 0")
  }
}
