import Platform

/// Publishing the run's status.
extension Run {
  /// Updates the status, if that is due.
  mutating func observe() {
    guard observation != nil else { return }
    let now = control.clock.now()
    guard observation?.isDue(at: now.steadyNanoseconds) == true else { return }
    let messages = control.messages
    (standing.readBytes, standing.lostBytes) = (readBytes, lostBytes)
    observation?.look(standing, routes, retired, ended, at: now) { messages.say($0) }
  }

  /// Reports that the run has begun, to the process that has started it, the service manager and the
  /// observers.
  mutating func announceReady() {
    guard control.announceReady() else { return }
    observation?.beginWatch(at: control.clock.now().steadyNanoseconds)
    if control.isReloadWanted { beginReload() }
  }
}
