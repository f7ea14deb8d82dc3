import Glibc
import Platform

/// Has what a captured log holds be measured as fast as it happened, or faster or slower by a factor.
///
/// It is the outputs' threads that wait here; meanwhile no more is read of the log than the spools have room for.
package final class TimeBend: Sendable {
  private struct State {
    var factor: Double
    /// A time of the log, in microseconds, and when it was its turn on the steady clock; nil before the first one.
    var origin: (logged: Double, steady: Int64)?
    var isOver = false
  }

  private let state: Guarded<State>

  /// How soon a change of the factor, or the end, is seen.
  private static let pauseNanoseconds = 20_000_000.0

  /// - Parameter factor: how many seconds of the log pass in one; more than 0.
  package init(_ factor: Double) { state = Guarded(State(factor: factor)) }

  /// Waits until it is a time's turn.
  ///
  /// - Parameter microseconds: since 1970, as logged.
  func wait(for microseconds: UInt64) {
    while let pause = nanoseconds(to: Double(microseconds)) { usleep(UInt32(pause / 1000)) }
  }

  /// How long to wait next; nil if it is a time's turn.
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

  /// Has time pass faster or slower from now on.
  package func change(by part: Double) {
    let now = SystemClock.steadyNanoseconds
    state.withLock { state in
      if let origin = state.origin {
        state.origin = (origin.logged + Double(now - origin.steady) * state.factor / 1000, now)
      }
      state.factor = min(max(state.factor * part, 1e-6), 1e6)
    }
  }

  /// Has nothing wait any more.
  package func finish() { state.withLock { $0.isOver = true } }
}
