import CShims
import Glibc
import SharedMemory

/// Work that may hang, such as opening a file on a server that is away, done where its caller can stop waiting.
package enum Aside {
  private final class Desk<Result: ~Copyable>: @unchecked Sendable {
    // Written by the thread before it announces, read by the caller after that.
    let result = Guarded<Result?>(nil)
    let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }
    deinit { close(descriptor) }
  }

  private struct Work<Result: ~Copyable>: ThreadLoop, @unchecked Sendable {
    let desk: Desk<Result>
    let body: () -> Result

    func run() {
      // Not while the lock is held: the caller looks whether there is a result, and must not wait for that.
      var result: Result? = body()
      desk.result.withLock { swap(&$0, &result) }
      shim_signal_event(desk.descriptor)
    }
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
    guard let thread = try? WorkerThread.start(Work(desk: desk, body: work)) else { return work() }
    pthread_detach(thread)
    var deadline = isHurried ? SystemClock.steadyNanoseconds + patience : nil
    while true {
      if let result = desk.result.withLock({ $0.take() }) { return result }
      let left = deadline.map { $0 - SystemClock.steadyNanoseconds }
      if let left, left <= 0 { return nil }
      var requests = [
        pollfd(fd: event, events: Int16(POLLIN), revents: 0),
        pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      ]
      // Once it is known that the time is limited, nothing else is of interest.
      let milliseconds = left.map { Int32(min(($0 + 999_999) / 1_000_000, 1 << 30)) }
      _ = poll(&requests, left == nil ? 2 : 1, milliseconds ?? -1)
      if left == nil, requests[1].revents != 0, !goesOn() {
        deadline = SystemClock.steadyNanoseconds + patience
      }
    }
  }
}
