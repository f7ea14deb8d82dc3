import Platform

/// Having others know how the run stands.
extension Run {
  /// Looks at the run, if that is due.
  mutating func observe() {
    guard observation != nil else { return }
    let now = control.clock.now()
    guard observation?.isDue(at: now.steadyNanoseconds) == true else { return }
    let messages = control.messages
    (standing.readBytes, standing.lostBytes) = (readBytes, lostBytes)
    observation?.look(standing, routes, retired, ended, at: now) { messages.say($0) }
  }

  /// Says that the run has begun, to all that wait for that.
  mutating func announceReady() {
    guard control.announceReady() else { return }
    observation?.beginWatch(at: control.clock.now().steadyNanoseconds)
    if control.isReloadWanted { beginReload() }
  }
}
