/// What of a configuration changes while a run goes on.
extension Configuration {
  /// The settings in which another one differs, and which a running process keeps as they are.
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
  /// Takes over what can change while a run goes on.
  mutating func adopt(_ other: ProcessConfiguration) {
    report = other.report
    drainSeconds = other.drainSeconds
    showsAccounting = other.showsAccounting
    // For outputs that begin from then on.
    spoolBytes = other.spoolBytes
  }
}
