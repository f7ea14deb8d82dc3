import VarnishLog
public import LogWriting

/// Simulates the visitors of some web sites, and writes the log that the cache in front of them would write.
///
/// A seed gives the same visitors with the same requests, and the same responses after the same time; only
/// the times of day differ. Every transaction is written when it ends, so its beginning lies in the past.
public struct Traffic: ~Copyable {
  /// A connection, and the number of requests still to come on it.
  private struct Session {
    let vxid: UInt64
    let visitor: Visitor
    let opened: Int
    var requestsLeft: Int
    var referrer: String?
  }

  private var planner: Planner
  private var exchanges: ExchangeWriter
  private var sessions: [Session] = []
  private let writer: LogWriter

  /// The usual number of open connections.
  private static let sessionCount = 24

  /// Prepares to write traffic to a log.
  public init(to writer: LogWriter, seed: UInt64) {
    self.writer = writer
    planner = Planner(writer, seed: seed)
    exchanges = ExchangeWriter(writer)
  }

  /// How many requests clients have made.
  public var requestCount: Int { planner.requestCount }

  /// How many of them were answered from the cache.
  public var hitCount: Int { planner.hitCount }

  /// Writes a client's request that ends now, with its fetches and fragments.
  ///
  /// - Parameter now: microseconds since 1970.
  public mutating func request(endingAt now: Int) {
    let isNew = sessions.count < Self.sessionCount
    let index = isNew ? sessions.count : planner.random.number(in: 0..<sessions.count)
    let visitor = isNew ? Visitor(&planner.random) : sessions[index].visitor
    let vxid = isNew ? writer.nextVXID() : sessions[index].vxid
    let exchange = planner.next(visitor)
    let start = now - exchange.duration
    exchanges.records.begin(vxid, .client)
    if isNew { open(vxid, visitor, at: start - planner.random.number(in: 60..<400)) }
    exchanges.records.add(.link, "req \(exchange.attempts[0].vxid) rxreq")
    exchanges.records.endPiece()
    exchanges.write(
      exchange, visitor, .session(vxid, referrer: sessions[index].referrer), start: start)
    let resource = exchange.resource
    if resource.type.name == ContentType.page.name {
      sessions[index].referrer = "https://\(resource.host)\(resource.url)"
    }
    sessions[index].requestsLeft -= 1
    if resource.handling == .pipe {
      close(index, "TX_PIPE", at: now)
    } else if sessions[index].requestsLeft <= 0 {
      close(index, planner.random.chance(70) ? "REM_CLOSE" : "RX_CLOSE_IDLE", at: now)
    }
  }

  /// Closes all connections, so that no session is left unfinished.
  public mutating func end(at now: Int) {
    while !sessions.isEmpty { close(sessions.count - 1, "REM_CLOSE", at: now) }
  }

  private mutating func open(_ vxid: UInt64, _ visitor: Visitor, at moment: Int) {
    sessions.append(
      Session(vxid: vxid, visitor: visitor, opened: moment, requestsLeft: visitor.requestCount))
    exchanges.records.add(.begin, "sess 0 HTTP/1")
    let local = visitor.address.contains(":") ? "2001:db8::10" : "192.0.2.10"
    exchanges.records.add(
      .sessOpen,
      "\(visitor.address) \(visitor.port) a0 \(local) 443 \(LogTime.seconds(moment)) \(20 + vxid % 60)")
  }

  private mutating func close(_ index: Int, _ reason: String, at now: Int) {
    let session = sessions.remove(at: index)
    exchanges.records.begin(session.vxid, .client)
    // The frames of the connection itself, besides those of requests.
    if session.visitor.transport == .http2 { exchanges.records.add(.reqAcct, "36 22 58 54 20 74") }
    let open = LogTime.seconds(max(0, now - session.opened), digits: 3)
    exchanges.records.add(.sessClose, "\(reason) \(open)")
    exchanges.records.end()
  }
}
