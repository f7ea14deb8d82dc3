public import LogWriting

/// An access log that an HTTP server writes into shared memory, and that `spillway ncsa` turns into lines.
///
/// Each request becomes one transaction with the records that a cache writes for it, so every format and every
/// query finds what it looks for. Writing is a copy into memory: no reader, however slow or absent, holds up
/// the server. All of it may be used from any thread and any task.
///
/// ```swift
/// let log = AccessLog(try LogWriter(directory: "/run/shop/log"))
///
/// let request = log.begin(
///   method: "GET", target: "/cart?id=7", client: AccessLog.Address("192.0.2.7", port: 51234))
/// request.addHeader("Host", "shop.example.com")
/// request.respond(status: 200, reason: "OK", headers: [("Content-Type", "text/html")])
/// request.sent(5120)
/// request.end()
/// ```
///
/// and, as lines:
///
///     spillway ncsa -n /run/shop/log --format json
///
/// The log must have an index: in a single file there are no transactions.
public final class AccessLog: Sendable {
  /// The writer of the transactions.
  public let writer: LogWriter

  /// Creates an access log that writes to a log; other parts of the program may write to it, too.
  public init(_ writer: LogWriter) { self.writer = writer }

  /// Begins a request whose connection isn't logged.
  ///
  /// - Parameters:
  ///   - method: for example `GET`.
  ///   - target: the target in the request line: path and query.
  ///   - version: the protocol's name and version.
  ///   - client: the client's address; `nil` if there is none, as with a local socket.
  ///   - listener: the server's name for the socket on which it listens.
  ///   - start: when the first byte of the request arrived.
  public func begin(
    method: String, target: String, version: String = "HTTP/1.1", client: Address?, listener: String = "a0",
    start: ContinuousClock.Instant = .now
  ) -> Request {
    Request(
      of: writer, session: 0, client: client ?? .unknown, listener: listener,
      head: Request.Head(method: method, target: target, version: version), start: start)
  }

  /// Begins a session: a connection that groups its requests.
  ///
  /// - Parameters:
  ///   - client: the address that the connection came from.
  ///   - server: the address that it was made to.
  ///   - listener: the server's name for the socket on which it listens.
  ///   - transport: the protocol's name as `Begin` gives it: `HTTP/1`, `HTTP/2`, `PROXY`.
  ///   - descriptor: the connection's file descriptor, if that is known.
  public func openSession(
    client: Address?, server: Address?, listener: String = "a0", transport: String = "HTTP/1",
    descriptor: Int32 = 0
  ) -> Session {
    Session(
      of: writer, client: client ?? .unknown, server: server ?? .unknown, listener: listener,
      transport: transport, descriptor: descriptor)
  }
}

extension AccessLog {
  /// The address of one end of a connection.
  public struct Address: Sendable, Hashable {
    /// The address as text: `192.0.2.7`, `2001:db8::7`.
    public var host: String
    /// The port.
    public var port: Int

    /// Creates an address.
    public init(_ host: String, port: Int) {
      self.host = host
      self.port = port
    }

    /// The address that a log has for a socket without addresses.
    static let unknown = Address("0.0.0.0", port: 0)
  }

  /// How a request was handled, which `%{Varnish:hitmiss}x` and `%{Varnish:handling}x` show.
  ///
  /// A server without a cache doesn't need it; both show `-` then.
  public enum Handling: String, Sendable {
    /// Answered from the cache.
    case hit = "HIT"
    /// Made or fetched, and kept in the cache.
    case miss = "MISS"
    /// Made or fetched, and not kept in the cache.
    case pass = "PASS"
    /// Answered by the server itself: an error page, a redirect.
    case synth = "SYNTH"
  }
}
