/// A point in time on both clocks: the wall clock, which names files, and the steady clock, which measures
/// waiting.
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
      wallSeconds: SystemClock.wallNanoseconds / 1_000_000_000,
      steadyNanoseconds: SystemClock.steadyNanoseconds)
  }
}
