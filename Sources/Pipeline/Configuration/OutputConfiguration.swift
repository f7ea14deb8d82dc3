public import LogQuery
public import Rendering
public import Shipping
public import Transactions

/// One output: which groups or records of the log it takes, how they are shown, and where they go.
public struct OutputConfiguration: Sendable, Equatable {
  /// What is shown.
  public enum Shown: Sendable, Equatable {
    /// A line for each transaction.
    case lines(LineFormatting)
    /// Whole groups, as text or as the records that they consist of.
    case groups(GroupRenderer.Form)
    /// Single records without grouping, as text or as they are in the log.
    case records(GroupRenderer.Form)
  }

  /// What a line looks like.
  public struct LineFormatting: Sendable, Equatable {
    /// Where the format is from.
    public enum Format: Sendable, Equatable {
      /// A format string, or the default one.
      case text([UInt8]?)
      /// A template.
      case template(Template)
    }

    /// The format.
    public var format = Format.text(nil)
    /// Whether values are escaped for JSON.
    public var isJSON = false
    /// Whether values are put into JSON as released versions put them, even if the result isn't valid JSON.
    public var keepsJSONBytes = false
    /// Whether the first field is the client that a request was forwarded for, in a log of 2.0 to 3.0.
    public var prefersForwarded = false

    /// The default format.
    public init() {}
  }

  /// Where entries go.
  public enum Target: Sendable, Equatable {
    /// Standard output.
    case standardOutput
    /// A file, a named pipe or a device.
    case file(FileOptions)
    /// A command that the shell runs.
    case command(String, RestartPolicy)
    /// A connection, or a socket for messages.
    case socket(SocketReceiver, RestartPolicy)
    /// A file descriptor that is open already, and the name that messages have for it.
    case descriptor(Int32, name: String)
    /// An object in this process that looks at the entries.
    case observer(ObserverTarget)
  }

  /// What happens when there is no room left for entries.
  public enum Overflow: String, Sendable, CaseIterable {
    /// They go to the spool's directory; when that is full, too, a log in a file waits, and the newest
    /// entries of a live log are dropped.
    case spill
    /// The newest are dropped.
    case drop
    /// The input waits: only a log in a file can.
    case block
  }

  /// The output's name in messages and in the accounting; nil is what its target is called.
  public var name: String?
  /// What is shown.
  public var shown = Shown.lines(LineFormatting())
  /// Which transactions belong to one group.
  public var grouping = Grouping.vxid
  /// Whether the grouping was asked for; otherwise a log that has no transactions is shown as it is.
  public var isGroupingStated = false
  /// The options `-c`, `-b` and `-E` as they were given.
  public var client = false, backend = false, esi = false
  /// Which groups are wanted: queries in the log's query language; none takes all.
  public var queries: [[UInt8]] = []
  /// Whether the queries ignore the case of letters.
  public var queriesAreCaseless = false
  /// Which records of a group are shown.
  public var recordRules: [RecordRule] = []
  /// Which part of the groups that the queries let through is taken; nil is all.
  public var sample: Sample?
  /// How many groups are let through in how much time; nil is all.
  public var rateLimit: RateLimit?
  /// How many groups to take; nil is all.
  public var groupsMax: Int?
  /// Whether each entry is handed to the output at once.
  public var isUnbuffered = false
  /// Whether a line says where something was lost; a binary log has no such lines.
  public var marksGaps = false
  /// Where entries go.
  public var target = Target.standardOutput
  /// How many bytes entries may take in memory while the output is busy; nil is an equal share of what the
  /// process may take.
  public var spoolBytes: Int?
  /// A directory that takes entries when memory gets short, and keeps entries that couldn't be delivered for
  /// the next run; nil if there is none.
  public var spoolDirectory: String?
  /// How many bytes the entries in that directory may take.
  public var spoolDiskBytes = 10 << 30
  /// What happens when there is no room left; nil is the usual for the input.
  public var overflow: Overflow?

  /// Lines in the default format on standard output.
  public init() {}

  /// The name that messages and the accounting use for the output.
  package var displayName: String {
    if let name { return name }
    return switch target {
    case .standardOutput: "standard output"
    case .file(let file): file.path
    case .command(let command, _): command
    case .socket(let receiver, _): "\(receiver.address)"
    case .descriptor(_, let name): name
    case .observer(let target): target.observer.name
    }
  }

  /// Whether the output writes the records of a binary log.
  public var isBinary: Bool {
    switch shown {
    case .lines: false
    case .groups(let form), .records(let form): form == .records
    }
  }
}
