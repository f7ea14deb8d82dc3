package import Platform

/// What concerns a run's process as a whole.
public struct ProcessConfiguration: Sendable, Equatable {
  /// What SIGHUP does.
  public enum Hangup: Sendable {
    /// Closes the output files and opens them again.
    case reopen
    /// Ends the run.
    case end
  }

  /// How often the accounts are reported, and in which format.
  public struct Report: Sendable, Equatable {
    /// The format of the accounts.
    public enum Format: String, Sendable, CaseIterable {
      /// The accounting line, with the causes of losses.
      case text
      /// A JSON object for each output, on a line of its own.
      case json
    }

    /// How many nanoseconds lie between two reports.
    public var nanoseconds: Int64
    /// The format of the reports, and of the account at the end.
    public var format: Format

    /// Reports the accounts every so many seconds.
    public init(seconds: Double, format: Format = .text) {
      nanoseconds = Int64(min(max(seconds, 0.001), 1e9) * 1e9)
      self.format = format
    }
  }

  /// How often the accounts are reported, and in which format; nil reports them at the end alone.
  public var report: Report?
  /// How many bytes entries may take in memory, for all outputs; by default a share of what the machine or
  /// container has.
  public var spoolBytes: Int
  /// How much memory the process may have; nil if that isn't known.
  let memoryBytes: Int?
  /// How many threads read and render a file, including the thread that reads in order.
  public var threads: Int
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
  /// Lets a program that embeds the run watch it; nil if there is none.
  public var monitor: RunMonitor?

  /// The program's version, for the status.
  public var version = ""
  /// Where the reading thread publishes the run's status for the rest of this process; nil if nothing reads
  /// it.
  package var statusBoard: StatusBoard?
  /// Where the status socket is.
  public var statusSocket = StatusPlace.none
  /// The account to change to once everything that needs root's privileges is open; nil keeps the present
  /// one.
  package var account: Account?
  /// The checkpoint file, which notes how far the log is done and from which a later run goes on; nil keeps
  /// none.
  public var resume: String?
  /// Whether the checkpoint is the usual file, which wasn't asked for: if it can't be had, a message says so,
  /// and the run goes on without it.
  public var isResumeUsual = false
  /// Whether the process limits itself, where the kernel can do that, to what the run needs.
  public var isSandboxed = false

  /// Where a run's status socket is.
  public enum StatusPlace: Sendable, Equatable {
    /// There is none.
    case none
    /// At the usual place; if it can't be had, a message says so, and the run goes on without it.
    case usual(String)
    /// At a place that was asked for; if it can't be had, the run doesn't begin.
    case path(String)

    /// The path.
    public var path: String? {
      switch self {
      case .none: nil
      case .usual(let path), .path(let path): path
      }
    }
  }

  /// The usual defaults.
  public init() {
    let limits = MachineLimits.current
    (spoolBytes, threads, memoryBytes) = (limits.queueBytes, limits.threads, limits.memoryBytes)
  }
}
