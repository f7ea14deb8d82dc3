import Platform

/// Answers those who ask for metrics, on a thread of its own.
final class MetricsServer: Sendable {
  private let thread: ServerThread

  /// How clients are treated: few are needed, and one that doesn't get on is no Prometheus.
  static var limits: ServerLimits {
    var limits = ServerLimits()
    limits.clientsMax = 32
    limits.requestBytesMax = HTTPRequest.byteCountMax
    limits.requestNanoseconds = 5_000_000_000
    limits.answerNanoseconds = 10_000_000_000
    limits.lingers = true
    return limits
  }

  /// Begins to answer at a socket.
  init(
    _ socket: consuming ListeningSocket, _ collector: consuming MetricsCollector, _ limits: ServerLimits
  ) throws(Errno) {
    thread = try ServerThread(socket, limits, MetricsDialog(collector))
  }

  /// How long its thread, which may be reading a server's counters, is waited for.
  private static let patienceNanoseconds: Int64 = 2_000_000_000

  /// Ends it; the socket is gone then, unless the thread hangs.
  func end() { thread.end(nanoseconds: Self.patienceNanoseconds) }
}
