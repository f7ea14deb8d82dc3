import CShims
import Glibc
import Platform

/// Waits for points in time, for input and for signals.
final class Interruption {
  /// A request that comes as a signal.
  enum Request {
    /// SIGINT, SIGTERM, SIGHUP: end.
    case end
    /// SIGUSR2: report the progress.
    case report
  }

  private let descriptor: Int32

  /// Blocks the signals, which are read from a descriptor from now on.
  init() throws(SystemError) {
    let hangup = unsafe InheritedState.ignoresHangups ? [] : [SIGHUP]
    // `InheritedState.settle` gave SIGHUP its default action; from here on it is ignored again.
    if unsafe InheritedState.ignoresHangups { signal(SIGHUP, SIG_IGN) }
    let signals = [SIGINT, SIGTERM, SIGUSR2] + hangup
    descriptor = unsafe shim_signal_descriptor(signals, Int32(signals.count))
    guard descriptor >= 0 else { throw SystemError(operation: "set up", path: "signals") }
  }

  deinit { close(descriptor) }

  /// The next request that came in; nil if there is none.
  func next() -> Request? {
    switch shim_read_signal(descriptor) {
    case SIGINT, SIGTERM, SIGHUP: .end
    case SIGUSR2: .report
    default: nil
    }
  }

  /// Waits until a time on the steady clock or until a signal comes.
  func wait(until due: Int64) {
    let milliseconds = max(0, due - SystemClock.steadyNanoseconds) / 1_000_000
    guard milliseconds == 0 else { return wait(milliseconds: Int32(min(milliseconds, 1 << 30)), or: nil) }
    // Less than a millisecond is left: too short for poll, and for a signal to wait noticeably.
    var time = timespec(tv_sec: Int(due / 1_000_000_000), tv_nsec: Int(due % 1_000_000_000))
    unsafe clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil)
  }

  /// Waits until there is something to read or until a signal comes.
  func wait(for input: Int32?) { wait(milliseconds: -1, or: input) }

  private func wait(milliseconds: Int32, or input: Int32?) {
    var requests = (
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: input ?? -1, events: Int16(POLLIN), revents: 0)
    )
    unsafe withUnsafeMutableBytes(of: &requests) { requests in
      _ = unsafe poll(requests.assumingMemoryBound(to: pollfd.self).baseAddress, 2, milliseconds)
    }
  }
}
