import Platform
import Rendering

/// Captures that routes share: of a transaction, what the lines of all of them are made of is looked for once, when the
/// first one wants it.
///
/// As all are read by one release's rules, those that render JSON with `-j` and those that don't are what is left to be
/// told apart.
extension Run {
  /// Has the routes share captures; to be called whenever there are others, or they were made ready for another log.
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
  /// Finds the captures that its lines are made of.
  fileprivate mutating func join(_ plans: inout [CapturePlan]) {
    switch shown {
    case .lines(let maker)?: captures = maker.value.composer.join(&plans)
    default: break
    }
  }
}
