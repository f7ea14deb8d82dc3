import Glibc

/// A point in time on both clocks: the one on the wall, which names files, and the steady one,
/// which measures waiting.
public struct Moment: Sendable, Equatable {
  /// Seconds since 1970, UTC.
  public var wallSeconds: Int64
  /// Nanoseconds of a clock that never jumps; only differences mean something.
  public var steadyNanoseconds: Int64

  /// A moment of known readings.
  public init(wallSeconds: Int64, steadyNanoseconds: Int64) {
    self.wallSeconds = wallSeconds
    self.steadyNanoseconds = steadyNanoseconds
  }

  /// Reads both system clocks; costs no system call.
  public static func now() -> Moment {
    Moment(
      wallSeconds: Int64(read(CLOCK_REALTIME).tv_sec),
      steadyNanoseconds: {
        let steady = read(CLOCK_MONOTONIC)
        return Int64(steady.tv_sec) * 1_000_000_000 + Int64(steady.tv_nsec)
      }())
  }

  private static func read(_ clock: clockid_t) -> timespec {
    var time = timespec()
    clock_gettime(clock, &time)
    return time
  }
}
