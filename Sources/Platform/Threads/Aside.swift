import CShims
import Glibc

/// Work that may hang, such as opening a file on a server that is away, done where its caller can stop waiting.
package enum Aside {
  /// Where the thread leaves its result.
  ///
  /// The descriptor is the caller's, who closes it when nothing is waited for any more, however long the thread
  /// lives; so it is signalled only while the lock says that it is still open.
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

    // Not while the lock is held: the caller looks whether there is a result, and must not wait for that.
    func run() { desk.leave(body()) }
  }

  /// Does some work on a thread of its own.
  ///
  /// - Parameters:
  ///   - descriptor: what else is waited for, such as a signalfd.
  ///   - goesOn: called when the descriptor has become readable; whether the work is to be waited for to its end.
  ///   - patience: how many nanoseconds it is waited for if not.
  ///   - isHurried: whether it was said before that it is not.
  ///   - work: uses nothing that the caller changes before this has returned; left to itself if it isn't waited
  ///     for to its end.
  /// - Returns: what the work returned; nil if it isn't waited for any more.
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
      // Once it is known that the time is limited, nothing else is of interest.
      let milliseconds = left.map { Int32(min(($0 + 999_999) / 1_000_000, 1 << 30)) }
      _ = unsafe poll(&requests, left == nil ? 2 : 1, milliseconds ?? -1)
      if left == nil, requests[1].revents != 0, !goesOn() {
        deadline = SystemClock.steadyNanoseconds + patience
      }
    }
  }
}
