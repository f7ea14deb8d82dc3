import Platform
import Rendering

/// Captures that routes share: the values of a transaction from which the lines of several routes are made
/// are looked for once, when the first route needs them.
///
/// All routes use the rules of one release, so only routes that render JSON with `-j` and routes that don't
/// need captures of their own.
extension Run {
  /// Has the routes share captures; to be called whenever the routes are others, or were made ready for
  /// another log.
  mutating func shareCaptures() {
    var plans: [CapturePlan] = []
    for index in 0..<routes.count { routes[index].join(&plans) }
    captures = FixedList(count: plans.count) { Captures(plans[$0]) }
    sharesCaptures = false
    for index in 0..<captures.count where captures[index].areShared { sharesCaptures = true }
  }

  /// Makes the captures ready for another transaction.
  @inline(__always)
  mutating func forgetCaptures() {
    for index in 0..<captures.count { captures[index].forget() }
  }
}

extension Route {
  /// Finds the captures that the route's lines are made of.
  fileprivate mutating func join(_ plans: inout [CapturePlan]) {
    switch shown {
    case .lines(let maker)?: captures = maker.value.composer.join(&plans)
    default: break
    }
  }
}
