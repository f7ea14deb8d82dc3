import VarnishLog
public import LogWriting
import Platform

extension AccessLog {
  /// A request that is being answered; it is written to the log as one transaction when it ends.
  ///
  /// The order of calls only affects the order of the records and the times. A request that is released
  /// without `end` is ended then: if a handler throws or a task is cancelled, no transaction is lost. After
  /// the end nothing is added.
  ///
  /// Characters that could be taken for a record's end are written as an escape: a newline in a value as
  /// `\n`. Until its end a request has a buffer of the writer's `batchByteCount`; records beyond that are
  /// written before the end.
  public final class Request: Sendable {
    /// The first line of a request.
    struct Head {
      let method: String
      let target: String
      let version: String
    }

    /// The state of a request in progress; only accessed while the lock is held.
    private final class State {
      /// The transaction; nil once it was committed.
      var transaction: LogTransaction?
      var clock: TransactionClock
      var received: ByteTally
      var sent = ByteTally()
      let version: String

      init(_ transaction: consuming LogTransaction, _ clock: TransactionClock, _ head: Head) {
        self.transaction = consume transaction
        self.clock = clock
        version = head.version
        // The blanks and the line end of the request line, and the empty line.
        received = ByteTally(
          head: head.method.utf8.count + head.target.utf8.count + head.version.utf8.count + 6)
      }
    }

    /// The transaction's number, as `%{Varnish:vxid}x` shows it.
    public let vxid: UInt64
    /// The writer of the transaction.
    public let writer: LogWriter
    private let state: Guarded<State>

    init(
      of writer: LogWriter, session: UInt64, client: Address, listener: String, head: Head,
      start: ContinuousClock.Instant
    ) {
      vxid = writer.nextVXID()
      self.writer = writer
      let clock = TransactionClock(start: start)
      var transaction = writer.transaction(vxid, .client)
      transaction.add(.begin, "req \(session) rxreq")
      transaction.add(.timestamp, clock.startText)
      transaction.add(.reqStart, "\(client.fields) \(SafeText.field(listener))")
      transaction.add(.reqMethod, safe: head.method)
      transaction.add(.reqURL, safe: head.target)
      transaction.add(.reqProtocol, safe: head.version)
      state = Guarded(State(transaction, clock, head))
    }

    deinit { end() }

    /// Changes the state of a request in progress.
    private func update(_ body: (inout LogTransaction, State) -> Void) -> Bool {
      state.withLock { state in
        guard var transaction = state.transaction.take() else { return false }
        body(&transaction, state)
        state.transaction = consume transaction
        return true
      }
    }

    // MARK: The request

    /// Adds a header of the request.
    ///
    /// A field that a protocol has in place of `Host`, such as `:authority` in HTTP/2, is to be added as
    /// `Host`.
    public func addHeader(_ name: String, _ value: String) {
      _ = update { transaction, state in
        transaction.add(.reqHeader, name: name, safe: value)
        state.received.addHeader(name, valueByteCount: value.utf8.count)
      }
    }

    /// Adds a header of the request whose value may be invalid UTF-8.
    public func addHeader(_ name: String, bytes: RawSpan) {
      let text = SafeText.header(name, bytes)
      _ = update { transaction, state in
        unsafe transaction.add(.reqHeader, bytes: text.span.bytes)
        state.received.addHeader(name, valueByteCount: bytes.byteCount)
      }
    }

    /// Adds headers of the request.
    public func addHeaders(_ headers: some Sequence<(name: String, value: String)>) {
      for (name, value) in headers { addHeader(name, value) }
    }

    /// Counts bytes of the request's body.
    public func received(_ byteCount: Int) {
      _ = update { _, state in state.received.body += max(0, byteCount) }
    }

    // MARK: The response

    /// Adds the head of the response; its first byte is about to be sent.
    ///
    /// An interim response, as of status 100 or 103, only counts as bytes.
    public func respond(
      status: Int, reason: String = "", version: String? = nil,
      headers: some Sequence<(name: String, value: String)> = EmptyCollection()
    ) {
      _ = update { transaction, state in
        let version = version ?? state.version
        let isInterim = (100..<200).contains(status) && status != 101
        if !isInterim {
          transaction.add(.respProtocol, safe: version)
          transaction.add(.respStatus, "\(status)")
          transaction.add(.respReason, safe: reason)
        }
        state.sent.head += version.utf8.count + "\(status)".utf8.count + reason.utf8.count + 6
        for (name, value) in headers {
          if !isInterim { transaction.add(.respHeader, name: name, safe: value) }
          state.sent.addHeader(name, valueByteCount: value.utf8.count)
        }
        if !isInterim { transaction.add(.timestamp, state.clock.mark("Process")) }
      }
    }

    /// Adds a header of the response whose value may be invalid UTF-8, or that is set after the others.
    public func addResponseHeader(_ name: String, bytes: RawSpan) {
      let text = SafeText.header(name, bytes)
      _ = update { transaction, state in
        unsafe transaction.add(.respHeader, bytes: text.span.bytes)
        state.sent.addHeader(name, valueByteCount: bytes.byteCount)
      }
    }

    /// Counts bytes of the response's body.
    public func sent(_ byteCount: Int) {
      _ = update { _, state in state.sent.body += max(0, byteCount) }
    }

    // MARK: Anything else

    /// Adds how the request is handled.
    public func handled(as handling: Handling) {
      _ = update { transaction, _ in transaction.add(.vclCall, handling.rawValue) }
    }

    /// Adds a value that `%{VCL_Log:key}x` shows, and that queries find by `VCL_Log:key`.
    public func log(_ key: String, _ value: String) {
      _ = update { transaction, _ in transaction.add(.vclLog, name: key, safe: value) }
    }

    /// Adds an error, which queries find as `Error`.
    public func logError(_ text: String) {
      _ = update { transaction, _ in transaction.add(.error, safe: text) }
    }

    /// Adds a point in time, for example `ReqBody` when the whole body of the request has arrived.
    public func mark(_ label: String) {
      _ = update { transaction, state in
        transaction.add(.timestamp, safe: state.clock.mark(label))
      }
    }

    /// Adds a message of the server's own log.
    ///
    /// - Returns: false if the request has ended.
    func add(_ message: MessageRecords) -> Bool {
      update { transaction, state in
        transaction.add(.timestamp, state.clock.mark("Log"))
        message.add(to: &transaction)
      }
    }

    /// Ends the request, and writes its transaction; all its bytes have been sent, or can't be.
    ///
    /// - Returns: false if it had ended already, or the log is closed.
    @discardableResult
    public func end() -> Bool {
      state.withLock { state in
        guard var transaction = state.transaction.take() else { return false }
        transaction.add(.timestamp, state.clock.mark("Resp"))
        transaction.add(.reqAcct, "\(state.received.text) \(state.sent.text)")
        transaction.add(.end, "")
        return transaction.commit()
      }
    }

    // MARK: The task's request

    @TaskLocal private static var ofTask: Request?

    /// The request that the current task works for, if `asCurrent` has set one.
    public static var current: Request? { ofTask }

    /// Runs `body`, and the tasks that it starts, as work for this request.
    ///
    /// What is logged there with a ``SpillwayLogHandler`` of the same writer becomes part of the request's
    /// transaction.
    public func asCurrent<Result>(
      isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
    ) async rethrows -> Result {
      try await Self.$ofTask.withValue(self, operation: body, isolation: isolation)
    }

    /// Runs `body` as work for this request.
    public func asCurrent<Result>(_ body: () throws -> Result) rethrows -> Result {
      try Self.$ofTask.withValue(self, operation: body)
    }
  }
}

/// The number of bytes in one direction.
private struct ByteTally {
  var head = 0
  var body = 0

  /// Counts a header's line as in HTTP/1.
  mutating func addHeader(_ name: String, valueByteCount: Int) {
    head += name.utf8.count + valueByteCount + 4
  }

  /// Three fields of `ReqAcct`: the bytes of head, body and both.
  var text: String { "\(head) \(body) \(head + body)" }
}
