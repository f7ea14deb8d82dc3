import Glibc

/// Whether a process may be the one that made a log.
package enum ProcessStart {
  /// Whether a process with this number runs and existed when the log was made.
  ///
  /// Numbers are reused: a process that was started after the log was made is another one. If its start can't
  /// be determined, it counts as the log's: a wrong refusal is corrected more easily than two writers.
  ///
  /// - Parameter birth: when the log was made, in seconds since 1970.
  package static func mayOwn(_ pid: Int32, logOf birth: Int64) -> Bool {
    guard pid > 0, kill(pid, 0) == 0 || errno == EPERM else { return false }
    guard let status = status(of: pid) else { return true }
    if status.isDead { return false }
    guard let start = seconds(ofTicks: status.startTicks) else { return true }
    // The birth is rounded down, and the two clocks are not read at the same moment.
    return start <= Double(birth) + 1.1
  }

  private struct Status {
    /// Whether the process has ended, and is a zombie.
    let isDead: Bool
    let startTicks: UInt64
  }

  private static func status(of pid: Int32) -> Status? {
    guard let text = SmallFile.text("/proc/\(pid)/stat"),
      // The program's name is in parentheses and may contain parentheses.
      let end = text.lastIndex(of: ")")
    else { return nil }
    let fields = text[end...].dropFirst().split(separator: " ")
    guard fields.count > 19, let ticks = UInt64(fields[19]) else { return nil }
    return Status(isDead: fields[0].hasPrefix("Z"), startTicks: ticks)
  }

  /// Turns ticks since the boot into seconds since 1970.
  private static func seconds(ofTicks ticks: UInt64) -> Double? {
    let rate = sysconf(Int32(_SC_CLK_TCK))
    var now = timespec()
    var sinceBoot = timespec()
    guard rate > 0, unsafe clock_gettime(CLOCK_REALTIME, &now) == 0,
      unsafe clock_gettime(CLOCK_BOOTTIME, &sinceBoot) == 0
    else { return nil }
    func value(_ time: timespec) -> Double { Double(time.tv_sec) + Double(time.tv_nsec) / 1e9 }
    return value(now) - value(sinceBoot) + Double(ticks) / Double(rate)
  }
}
