import LogWriting

/// Writes the transactions of requests, with their fetches and fragments.
struct ExchangeWriter: ~Copyable {
  var records: RecordWriter

  init(_ writer: LogWriter) { records = RecordWriter(writer) }

  /// The parent of a request.
  enum Origin {
    /// The session's number, and the page that referred the visitor here.
    case session(UInt64, referrer: String?)
    /// The number of the request whose response includes this one's.
    case include(UInt64)
  }

  /// Writes the transactions of a request that began at a time, in the order of their ends.
  mutating func write(_ exchange: Exchange, _ visitor: Visitor, _ origin: Origin, start: Int) {
    var begin = start
    for (index, attempt) in exchange.attempts.enumerated() {
      let request = ClientRequest(
        exchange: exchange, index: index, visitor: visitor, origin: origin, start: begin, firstStart: start)
      let fetching = FetchWriter(
        parent: attempt.vxid, reason: request.fetchReason, resource: request.resource,
        headers: request.forwardedHeaders)
      let fetchStart = begin + attempt.deciding
      fetching.write(attempt.fetches, start: fetchStart, isLate: false, to: &records)
      var next = fetchStart + attempt.waiting + attempt.processing
      for include in attempt.includes {
        write(include, visitor, .include(attempt.vxid), start: next)
        next += include.duration
      }
      request.write(to: &records)
      fetching.write(attempt.fetches, start: fetchStart, isLate: true, to: &records)
      begin += attempt.duration
    }
  }
}
