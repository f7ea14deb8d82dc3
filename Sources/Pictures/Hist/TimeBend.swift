import Glibc
import Platform

/// Makes observers measure a captured log at the pace of its times, or faster or slower by a factor.
///
/// The outputs' threads wait here; meanwhile the log is only read as far as the spools have room.
package final class TimeBend: Sendable {
  private struct State {
    var factor: Double
    /// A time of the log in microseconds, and when it was due on the steady clock; nil before the first one.
    var origin: (logged: Double, steady: Int64)?
    var isOver = false
  }

  private let state: Guarded<State>

  /// How long it takes at most until a change of the factor, or the end, has an effect.
  private static let pauseNanoseconds = 20_000_000.0

  /// - Parameter factor: how many seconds of the log pass in one second; more than 0.
  package init(_ factor: Double) { state = Guarded(State(factor: factor)) }

  /// Waits until a time of the log is due.
  ///
  /// - Parameter microseconds: the logged time, since 1970.
  func wait(for microseconds: UInt64) {
    while let pause = nanoseconds(to: Double(microseconds)) { usleep(UInt32(pause / 1000)) }
  }

  /// How long to wait next, in nanoseconds; nil if the time is due.
  private func nanoseconds(to logged: Double) -> Double? {
    let now = SystemClock.steadyNanoseconds
    return state.withLock { state in
      guard !state.isOver else { return nil }
      guard let origin = state.origin else {
        state.origin = (logged, now)
        return nil
      }
      let left = (logged - origin.logged) * 1000 / state.factor - Double(now - origin.steady)
      return left > 0 ? min(left, Self.pauseNanoseconds) : nil
    }
  }

  /// Changes the factor, from now on, by another factor.
  package func change(by part: Double) {
    let now = SystemClock.steadyNanoseconds
    state.withLock { state in
      if let origin = state.origin {
        state.origin = (origin.logged + Double(now - origin.steady) * state.factor / 1000, now)
      }
      state.factor = min(max(state.factor * part, 1e-6), 1e6)
    }
  }

  /// Ends all waiting.
  package func finish() { state.withLock { $0.isOver = true } }
}
