public import LogQuery
import Platform
public import Rendering
public import Shipping
public import Transactions
public import VarnishLog

/// Everything a run is told, checked as far as it can be without looking at the log.
public struct PipelineOptions: Sendable {
  /// Where records come from.
  public enum Input: Sendable {
    /// A binary log file; "-" is standard input.
    case file(String)
    /// The instance that `-n` names, or the default one.
    case live(String?)
  }

  /// What lines look like.
  public enum Format: Sendable {
    /// A format string, or the default one.
    case text([UInt8]?)
    /// A template.
    case template(Template)
  }

  /// Where lines go.
  public enum Target: Sendable {
    /// Standard output.
    case standardOutput
    /// A file, or whatever has that name.
    case file(FileOptions)
    /// A command that the shell runs.
    case command(String, RestartPolicy)
    /// A connection, or a socket for messages.
    case socket(SocketReceiver, RestartPolicy)
    /// A descriptor that somebody else has opened, and the name that messages have for it.
    case descriptor(Int32, name: String)
  }

  /// What happens when there is no room left for lines.
  public enum Overflow: String, Sendable, CaseIterable {
    /// They go to the spool's directory. When that is full, too, a log in a file waits, and of a live one the
    /// newest lines are dropped.
    case spill
    /// The newest are dropped.
    case drop
    /// The input waits: only a log in a file can.
    case block
  }

  /// What SIGHUP does.
  public enum Hangup: Sendable {
    /// Lets go of the output file and opens it again.
    case reopen
    /// Ends the run.
    case end
  }

  /// Where records come from.
  public var input: Input
  /// What lines look like.
  public var format: Format = .text(nil)
  /// Whether values are escaped for JSON.
  public var isJSON = false
  /// Whether values that would not be JSON stand in it as released versions put them.
  public var keepsJSONBytes = false
  /// The release whose rules are insisted on; nil takes what goes with the log.
  public var compatibility: VarnishVersion?
  /// What belongs together.
  public var grouping = Grouping.vxid
  /// Whether every record is taken by itself, instead of being grouped.
  public var takesRecordsSingly = false
  /// Whether groups are shown as a whole, and how, instead of a line for each transaction.
  public var groupForm: GroupRenderer.Form?
  /// Which records of a group are shown.
  public var recordRules: [RecordRule] = []
  /// Whether everything is handed to the output at once.
  public var isUnbuffered = false
  /// The options `-c`, `-b` and `-E` as they were given.
  public var client = false, backend = false, esi = false
  /// Which groups are wanted: queries in the log's query language; none takes all.
  public var queries: [[UInt8]] = []
  /// Whether the case of letters makes no difference to the queries.
  public var queriesAreCaseless = false
  /// How many groups are let through in how much time; nil is all.
  public var rateLimit: RateLimit?
  /// How many transactions may be unfinished.
  public var openTransactionsMax = 1000
  /// How long a transaction may be unfinished, in seconds.
  public var timeoutSeconds = 120.0
  /// How many groups to take before the run ends; nil is all.
  public var groupsMax: Int?
  /// Whether to read what is in a live log and then end.
  public var existingOnly = false
  /// How long to wait for an instance; nil is for ever.
  public var attachSeconds: Double? = 5
  /// Where lines go.
  public var target: Target = .standardOutput
  /// How many bytes lines may take while the output is busy; a share of what the machine or the container has.
  public var spoolBytes = MachineLimits.current.queueBytes
  /// A directory that takes lines when memory gets short, and keeps for the next run what couldn't be
  /// delivered; nil if there is none.
  public var spoolDirectory: String?
  /// How many bytes may be there.
  public var spoolDiskBytes = 10 << 30
  /// What happens when there is no room left for lines; nil is the usual for the input.
  public var overflow: Overflow?
  /// How long to go on delivering after a signal to end, in seconds.
  public var drainSeconds = 5.0
  /// What SIGHUP does.
  public var hangup: Hangup = .reopen
  /// Whether to go into the background.
  public var daemonizes = false
  /// A file for the process number.
  public var pidFile: String?
  /// The name that messages begin with.
  public var programName = "spillway"
  /// Whether the accounting line is printed at the end: in live mode, and with `--stats`.
  public var showsAccounting = true
  /// Whether pieces of a file that belong to no transaction make the run a failure.
  public var reportsOrphans = true

  /// Who looks on while it runs, if somebody does.
  public var monitor: RunMonitor?

  /// Options with the usual defaults.
  public init(input: Input) { self.input = input }
}
