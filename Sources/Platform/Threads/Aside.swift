import CShims
import Glibc

/// Runs work that may hang, such as opening a file of a server that is away, so that the caller can stop
/// waiting.
package enum Aside {
  /// Takes the thread's result.
  ///
  /// The descriptor belongs to the caller, which closes it when it stops waiting, however long the thread
  /// lives; so it is signalled only while the state under the lock says that it is still open.
  private final class Desk<Result: ~Copyable>: @unchecked Sendable {
    private struct State: ~Copyable {
      var result: Result?
      var event: Int32?
    }

    private let state: Guarded<State>

    init(_ event: Int32) { state = Guarded(State(result: nil, event: event)) }

    func leave(_ result: consuming Result) {
      var result: Result? = consume result
      state.withLock { state in
        swap(&state.result, &result)
        if let event = state.event { shim_signal_event(event) }
      }
    }

    func take() -> Result? { state.withLock { $0.result.take() } }

    func closeEvent() {
      let event = state.withLock { $0.event.take() }
      if let event { close(event) }
    }
  }

  private struct Work<Result: ~Copyable>: ThreadLoop, @unchecked Sendable {
    let desk: Desk<Result>
    let body: () -> Result

    // The lock isn't held during the work: the caller checks for a result, and must not wait for the lock.
    func run() { desk.leave(body()) }
  }

  /// Does some work on a thread of its own.
  ///
  /// - Parameters:
  ///   - descriptor: a descriptor to watch meanwhile, such as a signalfd.
  ///   - goesOn: called when the descriptor has become readable; returns whether to wait for the work's end.
  ///   - patience: how many nanoseconds to wait for the work otherwise.
  ///   - isHurried: whether it is known from the start not to wait for the work to its end.
  ///   - work: uses nothing that the caller changes before this has returned; continues by itself if the
  ///     caller stops waiting.
  /// - Returns: the result of the work; nil if the caller has stopped waiting for it.
  package static func run<Result: ~Copyable>(
    whileWatching descriptor: Int32, goesOn: () -> Bool, patience: Int64 = 0,
    isHurried: Bool = false,
    _ work: sending @escaping () -> sending Result
  ) -> sending Result? {
    let event = shim_event()
    guard event >= 0 else { return work() }
    let desk = Desk<Result>(event)
    defer { desk.closeEvent() }
    guard let thread = try? WorkerThread.start(Work(desk: desk, body: work)) else { return work() }
    pthread_detach(thread)
    var deadline = isHurried ? SystemClock.steadyNanoseconds + patience : nil
    while true {
      if let result = desk.take() { return result }
      let left = deadline.map { $0 - SystemClock.steadyNanoseconds }
      if let left, left <= 0 { return nil }
      var requests = [
        pollfd(fd: event, events: Int16(POLLIN), revents: 0),
        pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      ]
      // Once the time is limited, the other descriptor no longer matters.
      let milliseconds = left.map { Int32(min(($0 + 999_999) / 1_000_000, 1 << 30)) }
      _ = unsafe poll(&requests, left == nil ? 2 : 1, milliseconds ?? -1)
      if left == nil, requests[1].revents != 0, !goesOn() {
        deadline = SystemClock.steadyNanoseconds + patience
      }
    }
  }
}
