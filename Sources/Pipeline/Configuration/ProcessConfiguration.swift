package import Platform

/// What concerns a run's process as a whole.
public struct ProcessConfiguration: Sendable, Equatable {
  /// What SIGHUP does.
  public enum Hangup: Sendable {
    /// Lets go of the output files and opens them again.
    case reopen
    /// Ends the run.
    case end
  }

  /// How often the accounts are said, and how.
  public struct Report: Sendable, Equatable {
    /// How they are said.
    public enum Format: String, Sendable, CaseIterable {
      /// The accounting line, with causes.
      case text
      /// A JSON object for each output, on a line of its own.
      case json
    }

    /// How many nanoseconds lie between two.
    public var nanoseconds: Int64
    /// How they are said, at the end, too.
    public var format: Format

    /// Says them so often.
    public init(seconds: Double, format: Format = .text) {
      nanoseconds = Int64(min(max(seconds, 0.001), 1e9) * 1e9)
      self.format = format
    }
  }

  /// How often the accounts are said, and how; nil is at the end alone.
  public var report: Report?
  /// How many bytes entries may take in memory, for all outputs; a share of what the machine or the container has.
  public var spoolBytes: Int
  /// How much memory the process may have; nil if that can't be known.
  let memoryBytes: Int?
  /// How many threads read and render a file, the one that reads in order included.
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
  /// Watches the run, if a program that embeds it wants to.
  public var monitor: RunMonitor?

  /// The program's version, for those who ask how the run does.
  public var version = ""
  /// Where others in this process find how the run stands; nil if none wants to know.
  package var statusBoard: StatusBoard?
  /// Where those who ask are answered.
  public var statusSocket = StatusPlace.none
  /// Whom to become once what needs root's privileges is open; nil stays who this process is.
  package var account: Account?
  /// The file in which is kept what is done of the log, and from which the run goes on; nil keeps nothing.
  public var resume: String?
  /// Whether that is the usual file, which wasn't asked for: where it can't be had, that is said, and the run goes on
  /// without.
  public var isResumeUsual = false
  /// Whether the process limits itself, where the kernel can do that, to what the run needs.
  public var isSandboxed = false

  /// Where a run's status socket is.
  public enum StatusPlace: Sendable, Equatable {
    /// There is none.
    case none
    /// At the usual place; where it can't be had, that is said, and the run goes on without.
    case usual(String)
    /// Where it was asked for; without it the run doesn't begin.
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
