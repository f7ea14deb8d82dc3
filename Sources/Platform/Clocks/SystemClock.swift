import Glibc

/// The system's clocks in nanoseconds; reading them costs no system call.
package enum SystemClock {
  /// A clock that never jumps; only differences mean something.
  package static var steadyNanoseconds: Int64 { read(CLOCK_MONOTONIC) }
  /// The time since 1970, UTC.
  package static var wallNanoseconds: Int64 { read(CLOCK_REALTIME) }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
