import VarnishLog
import LogWriting
import Platform

extension AccessLog {
  /// A connection; it is written to the log as one transaction when it is closed.
  ///
  /// `spillway log -g session` shows it together with its requests. Access-log lines need no session.
  public final class Session: Sendable {
    private struct State {
      /// The numbers of its requests: the only memory that grows until it is closed.
      var requests: [UInt64] = []
      var isClosed = false
    }

    /// The transaction's number.
    public let vxid: UInt64
    /// The client's address.
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

    /// Begins a request on this connection.
    ///
    /// - Parameters:
    ///   - method: for example `GET`.
    ///   - target: the target in the request line: path and query.
    ///   - version: the protocol's name and version.
    ///   - start: when the first byte of the request arrived.
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
    /// - Parameter reason: the reason, in a cache's terms: `REM_CLOSE`, `RESP_CLOSE`, `RX_TIMEOUT`, …
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
