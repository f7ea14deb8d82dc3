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
    sayAccounts()
  }

  /// Says how things stand: of outputs that take entries, and of those that deliver their last.
  mutating func sayAccounts() {
    for index in 0..<routes.count {
      say(routes[index].account(), of: routes[index].name)
      routes[index].noteSaid()
    }
    for route in retired where !route.isSaid { say(route.account, of: route.name, state: "draining") }
  }

  /// Whether accounts are said without being asked for.
  var saysAccounts: Bool {
    let process = control.configuration.process
    return process.showsAccounting || process.report != nil
  }

  /// Says an account; with its output's name if there are, or have been, several.
  ///
  /// - Parameter state: what has become of the output, if it isn't one that takes entries.
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

  /// How often a reload is looked at while nothing else happens.
  private static var reloadMilliseconds: Int32 { 20 }

  /// How long a source may be waited for, in milliseconds, before something else is to be done; -1 is for ever.
  func patienceMilliseconds(at now: Moment) -> Int32 {
    let patience = nextReport.map {
      Int32(min(max(0, ($0 - now.steadyNanoseconds) / 1_000_000 + 1), 1 << 30))
    }
    guard isReloading else { return patience ?? -1 }
    return min(patience ?? Self.reloadMilliseconds, Self.reloadMilliseconds)
  }
}
