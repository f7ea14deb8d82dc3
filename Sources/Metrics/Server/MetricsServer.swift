import CShims
import Glibc
import Platform

/// Answers those who ask for metrics, on a thread of its own.
final class MetricsServer: Sendable {
  private struct Loop: ThreadLoop, ~Copyable {
    var server: ClientServer<MetricsDialog>?
    let ended: WakeSignal

    mutating func run() {
      serve()
      ended.signal()
    }

    // Until the socket is gone, too.
    private mutating func serve() {
      guard let server = server.take() else { return }
      server.serve()
    }
  }

  private let stop: WakeEvent
  private let ended = WakeSignal()

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
    stop = try WakeEvent(.real)
    let server = ClientServer(socket, limits, stop: stop.descriptor, MetricsDialog(collector))
    pthread_detach(try WorkerThread.start(Loop(server: server, ended: ended)))
  }

  /// How long its thread, which may be reading a server's counters, is waited for.
  private static let patienceNanoseconds: Int64 = 2_000_000_000

  /// Ends it; the socket is gone then, unless the thread hangs.
  func end() {
    stop.signal()
    ended.wait(nanoseconds: Self.patienceNanoseconds)
  }
}
