public import Checkpoints
public import LogQuery
public import LogReading
public import Platform
public import Rendering
public import Spool

/// Why a run could not start or had to end.
public enum RunError: Error, Sendable, CustomStringConvertible {
  case format(FormatError)
  case query(QueryError)
  case recordRule(RecordRuleError)
  /// An option of 2.0 to 3.0 can't be carried out; one line.
  case oldOption(String)
  /// The entries of several logs can't be put in order for an output.
  case merging(MergingError)
  case log(LogError)
  /// A log can't be read where the rules of a release before 5.2 are insisted on.
  case logFileInOldTool(LogError)
  /// The output can't be opened.
  case output(SystemError)
  case pidFile(PIDFileError)
  case spool(SpoolError)
  /// The checkpoint can't be used.
  case checkpoint(CheckpointError)
  case system(SystemError)
  case instance(InstanceNameError)
  /// A setting of the process can't be carried out: its user, its limits, its status socket; one line.
  case process(String)
  /// No running server was found in time; what was tried last, and why it failed.
  case noInstance(String)
  /// A command ended the run while it waited for a server; what was tried last, and why it failed.
  case interrupted(String)
  /// A command ended the run while it did other work that can hang.
  case interruptedWhile(String)

  /// A message of one line, unless `hasLines`.
  public var description: String {
    switch self {
    case .format(let error): error.description
    case .query(let error): "Query expression error:\n\(error.description)"
    case .recordRule(let error): error.description
    case .oldOption(let problem): problem
    case .merging(let error): error.description
    case .log(let error): error.description
    case .logFileInOldTool(.cannotOpen(let error)):
      "Can't open log file (Could not open \(VisibleText.oneLine(error.path)): \(error.reason)\n)"
    case .logFileInOldTool(let error): "Can't open log file (\(VisibleText.oneLine(error.description))\n)"
    case .output(let error): "Can't open output file (\(error.reason)): \(error.path)\(error.explanation)"
    case .pidFile(let error): error.description
    case .spool(let error): error.description
    case .checkpoint(let error): error.description
    case .system(let error): error.description
    case .instance(let error): error.description
    case .process(let problem): problem
    case .noInstance(let detail): "VSM: Could not get hold of varnishd, is it running? (\(detail))"
    case .interrupted(let detail): "VSM: Attach interrupted (\(detail))"
    case .interruptedWhile(let what): "told to end while \(what)"
    }
  }

  /// Whether the description has several lines on purpose; none of its line ends comes from a name, such as a
  /// path.
  public var hasLines: Bool {
    switch self {
    case .query, .logFileInOldTool: true
    default: false
    }
  }
}
