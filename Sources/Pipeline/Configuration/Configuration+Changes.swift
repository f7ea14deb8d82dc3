/// The differences between configurations, and what of them a running process takes over.
extension Configuration {
  /// The names of the settings that differ in another configuration, and that a running process keeps as they
  /// are.
  func fixedSettings(differingIn other: Configuration) -> [String] {
    var names = input == other.input ? [] : ["input"]
    let (own, others) = (process, other.process)
    if own.daemonizes != others.daemonizes { names.append("daemonize") }
    if own.pidFile != others.pidFile { names.append("pid-file") }
    if own.statusSocket != others.statusSocket { names.append("status-socket") }
    if own.resume != others.resume { names.append("resume") }
    if own.account != others.account { names.append("user") }
    if own.isSandboxed != others.isSandboxed { names.append("sandbox") }
    return names
  }
}

extension ProcessConfiguration {
  /// Takes over the settings that can change while a run goes on.
  mutating func adopt(_ other: ProcessConfiguration) {
    report = other.report
    drainSeconds = other.drainSeconds
    showsAccounting = other.showsAccounting
    // Counts for outputs that begin from now on.
    spoolBytes = other.spoolBytes
  }
}
