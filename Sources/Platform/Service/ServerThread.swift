import Glibc

/// A server for few clients, on its own thread.
package final class ServerThread: Sendable {
  private struct Loop<Dialog: ServerDialog & ~Copyable>: ThreadLoop, ~Copyable {
    var server: ClientServer<Dialog>?
    let signals: Signals

    mutating func run() {
      serve()
      signals.ended.signal()
    }

    // Returns when the socket is closed, too.
    private mutating func serve() {
      guard let server = server.take() else { return }
      server.serve()
    }
  }

  /// Held by the thread as well, which may be left behind if it hangs in its dialog.
  private struct Signals: Sendable {
    let stop: WakeEvent
    let ended = WakeSignal()
  }

  private let signals: Signals

  /// Begins to answer at a socket, until it is told to end.
  package init<Dialog: ServerDialog & ~Copyable>(
    _ socket: consuming ListeningSocket, _ limits: ServerLimits, _ dialog: consuming Dialog
  ) throws(Errno) {
    signals = Signals(stop: try WakeEvent(.real))
    let server = ClientServer(socket, limits, stop: signals.stop.descriptor, dialog)
    pthread_detach(try WorkerThread.start(Loop(server: server, signals: signals)))
  }

  /// Ends the server: connections and socket are closed then.
  ///
  /// - Parameter nanoseconds: how long to wait for the thread, which may be preparing an answer; nil waits
  ///   until it has ended.
  package func end(nanoseconds: Int64?) {
    signals.stop.signal()
    signals.ended.wait(nanoseconds: nanoseconds)
  }
}
