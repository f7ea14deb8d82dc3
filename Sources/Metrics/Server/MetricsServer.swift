import Platform

/// Serves metrics to HTTP clients, on a thread of its own.
final class MetricsServer: Sendable {
  private let thread: ServerThread

  /// The limits for clients: Prometheus needs few connections and doesn't stall.
  static var limits: ServerLimits {
    var limits = ServerLimits()
    limits.clientsMax = 32
    limits.requestBytesMax = HTTPRequest.byteCountMax
    limits.requestNanoseconds = 5_000_000_000
    limits.answerNanoseconds = 10_000_000_000
    limits.lingers = true
    return limits
  }

  /// Begins to serve at a socket.
  init(
    _ socket: consuming ListeningSocket, _ collector: consuming MetricsCollector, _ limits: ServerLimits
  ) throws(Errno) {
    thread = try ServerThread(socket, limits, MetricsDialog(collector))
  }

  /// How long to wait for the end of the thread, which may be reading a server's counters.
  private static let patienceNanoseconds: Int64 = 2_000_000_000

  /// Ends the server; its socket is closed then, unless the thread hangs.
  func end() { thread.end(nanoseconds: Self.patienceNanoseconds) }
}
