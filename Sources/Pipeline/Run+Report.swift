import Platform

/// Reporting the accounts.
extension Run {
  /// Tells the routes the time, and reports the accounts if that is due.
  ///
  /// Called once a turn, so a report may be late by as much as one look at a quiet log takes.
  mutating func begin(turnAt now: Moment) {
    for index in 0..<routes.count { routes[index].begin(turnAt: now) }
    guard let schedule = control.configuration.process.report else { return }
    guard let due = nextReport else {
      nextReport = now.steadyNanoseconds + schedule.nanoseconds
      return
    }
    guard now.steadyNanoseconds >= due else { return }
    // Reports that were missed while the process stood still aren't made up for.
    nextReport = max(due, now.steadyNanoseconds) + schedule.nanoseconds
    sayAccounts()
  }

  /// Reports the accounts of outputs that take entries, and of outputs that deliver their last ones.
  mutating func sayAccounts() {
    for index in 0..<routes.count {
      say(routes[index].account(), of: routes[index].name)
      routes[index].noteSaid()
    }
    for route in retired where !route.isSaid { say(route.account, of: route.name, state: "draining") }
  }

  /// Whether accounts are reported without being asked for.
  var saysAccounts: Bool {
    let process = control.configuration.process
    return process.showsAccounting || process.report != nil
  }

  /// Reports an account, with its output's name if there are, or have been, several.
  ///
  /// - Parameter state: the state of an output that takes no more entries; nil if it takes entries.
  func say(_ account: Ledger, of name: String, state: String? = nil) {
    switch control.configuration.process.report?.format {
    case .json: control.messages.sayBare(account.json(name, state: state))
    case .text: sayLine(account.report, of: name, state)
    case nil: sayLine(account.description, of: name, state)
    }
  }

  private func sayLine(_ line: String, of name: String, _ state: String?) {
    guard routes.count > 1 || hasReloaded else { return control.messages.say(line) }
    control.messages.say("\(name)\(state.map { " (\($0))" } ?? ""): \(line)")
  }

  /// How often a reload is looked at while nothing else happens, in milliseconds.
  private static var reloadMilliseconds: Int32 { 20 }

  /// How many milliseconds to wait for a source before something else is to be done; -1 is without limit.
  func patienceMilliseconds(at now: Moment) -> Int32 {
    let patience = nextReport.map {
      Int32(min(max(0, ($0 - now.steadyNanoseconds) / 1_000_000 + 1), 1 << 30))
    }
    guard isReloading else { return patience ?? -1 }
    return min(patience ?? Self.reloadMilliseconds, Self.reloadMilliseconds)
  }
}
