import Platform

/// What tells a run the time; a test's goes as the test says.
struct RunClock: Sendable {
  let now: @Sendable () -> Moment

  /// The system's clocks.
  static let system = RunClock(now: Moment.now)
}
