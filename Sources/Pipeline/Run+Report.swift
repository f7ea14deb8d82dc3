import Platform

/// Saying regularly what has become of everything.
extension Run {
  /// Tells routes the time, and says the accounts when it is time for that.
  ///
  /// Called once a turn: a report comes as late as one look at a quiet log takes.
  mutating func begin(turnAt now: Moment) {
    for index in 0..<routes.count { routes[index].begin(turnAt: now) }
    guard let schedule = control.configuration.process.report else { return }
    guard let due = nextReport else {
      nextReport = now.steadyNanoseconds + schedule.nanoseconds
      return
    }
    guard now.steadyNanoseconds >= due else { return }
    // What was missed while the process stood still is not said later.
    nextReport = max(due, now.steadyNanoseconds) + schedule.nanoseconds
    for index in 0..<routes.count { say(routes[index].account(), of: routes[index].name) }
  }

  /// Says an account; with its output's name if there are several.
  func say(_ account: Ledger, of name: String) {
    switch control.configuration.process.report?.format {
    case .json: control.messages.sayBare(account.json(name))
    case .text: sayLine(account.report, of: name)
    case nil: sayLine(account.description, of: name)
    }
  }

  private func sayLine(_ line: String, of name: String) {
    control.messages.say(routes.count > 1 ? "\(name): \(line)" : line)
  }

  /// How long a source may be waited for, in milliseconds, before something else is to be done; -1 is for ever.
  func patienceMilliseconds(at now: Moment) -> Int32 {
    guard let nextReport else { return -1 }
    return Int32(min(max(0, (nextReport - now.steadyNanoseconds) / 1_000_000 + 1), 1 << 30))
  }
}
