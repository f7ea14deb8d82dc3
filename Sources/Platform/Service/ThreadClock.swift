import Glibc

/// The processor time of a thread; any other thread can read it.
package struct ThreadClock: Sendable {
  private let clock: clockid_t

  /// The clock of the calling thread; nil where the system has none.
  package static var ofCallingThread: ThreadClock? {
    var clock = clockid_t()
    guard unsafe pthread_getcpuclockid(pthread_self(), &clock) == 0 else { return nil }
    return ThreadClock(clock: clock)
  }

  /// User and system time since the thread was started, in nanoseconds; nil if it has ended.
  package var nanoseconds: Int64? {
    var time = timespec()
    guard unsafe clock_gettime(clock, &time) == 0 else { return nil }
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
