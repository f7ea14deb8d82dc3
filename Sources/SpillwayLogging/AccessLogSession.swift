import VarnishLog
import LogWriting
import Platform

extension AccessLog {
  /// A connection; it is written to the log as one transaction when it is closed.
  ///
  /// `spillway log -g session` shows it together with its requests. Access-log lines need no session.
  public final class Session: Sendable {
    private struct State {
      /// The requests on it: all that takes memory until it is closed.
      var requests: [UInt64] = []
      var isClosed = false
    }

    /// The transaction's number.
    public let vxid: UInt64
    /// Who is at the other end.
    public let client: Address
    private let writer: LogWriter
    private let server: Address
    private let listener: String
    private let transport: String
    private let descriptor: Int32
    private let clock = TransactionClock(start: .now)
    private let state = Guarded(State())

    init(
      of writer: LogWriter, client: Address, server: Address, listener: String, transport: String,
      descriptor: Int32
    ) {
      vxid = writer.nextVXID()
      self.writer = writer
      self.client = client
      self.server = server
      self.listener = listener
      self.transport = transport
      self.descriptor = descriptor
    }

    deinit { close() }

    /// Begins a request that came on this connection.
    ///
    /// - Parameters:
    ///   - method: for example `GET`.
    ///   - target: what the request line asks for: path and query.
    ///   - version: the protocol's name and version.
    ///   - start: when the first of the request's bytes came.
    public func begin(
      method: String, target: String, version: String = "HTTP/1.1", start: ContinuousClock.Instant = .now
    ) -> Request {
      let request = Request(
        of: writer, session: vxid, client: client, listener: listener,
        head: Request.Head(method: method, target: target, version: version), start: start)
      state.withLock { if !$0.isClosed { $0.requests.append(request.vxid) } }
      return request
    }

    /// Ends the session, and writes its transaction.
    ///
    /// - Parameter reason: why, as a cache would say it: `REM_CLOSE`, `RESP_CLOSE`, `RX_TIMEOUT`, …
    public func close(reason: String = "REM_CLOSE") {
      let requests: [UInt64]? = state.withLock { state in
        defer { state = State(isClosed: true) }
        return state.isClosed ? nil : state.requests
      }
      guard let requests else { return }
      let listener = SafeText.field(listener)
      var transaction = writer.transaction(vxid, .client)
      transaction.add(.begin, "sess 0 \(SafeText.field(transport))")
      transaction.add(
        .sessOpen, "\(client.fields) \(listener) \(server.fields) \(clock.startTimeText) \(descriptor)")
      for request in requests { transaction.add(.link, "req \(request) rxreq") }
      transaction.add(.sessClose, "\(SafeText.field(reason)) \(clock.durationText)")
      transaction.add(.end, "")
      transaction.commit()
    }
  }
}

extension AccessLog.Address {
  /// Host and port as two fields of a record.
  var fields: String { "\(SafeText.field(host)) \(port)" }
}
