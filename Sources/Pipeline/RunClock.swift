import Platform

/// The clocks of a run; a test sets their time.
struct RunClock: Sendable {
  let now: @Sendable () -> Moment

  /// The system's clocks.
  static let system = RunClock(now: Moment.now)
}
