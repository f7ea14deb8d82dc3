import Platform

/// What concerns a run's process as a whole.
public struct ProcessConfiguration: Sendable, Equatable {
  /// What SIGHUP does.
  public enum Hangup: Sendable {
    /// Lets go of the output files and opens them again.
    case reopen
    /// Ends the run.
    case end
  }

  /// How many bytes entries may take in memory, for all outputs; a share of what the machine or the container has.
  public var spoolBytes = MachineLimits.current.queueBytes
  /// How long to go on delivering after a signal to end, in seconds.
  public var drainSeconds = 5.0
  /// What SIGHUP does.
  public var hangup = Hangup.reopen
  /// Whether to go into the background.
  public var daemonizes = false
  /// A file for the process number.
  public var pidFile: String?
  /// The name that messages begin with.
  public var programName = "spillway"
  /// Whether the accounting line is printed at the end: in live mode, and with `--stats`.
  public var showsAccounting = true
  /// Watches the run, if a program that embeds it wants to.
  public var monitor: RunMonitor?

  /// The usual defaults.
  public init() {}
}
