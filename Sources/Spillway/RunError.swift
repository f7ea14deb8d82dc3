public import LineFormat
public import LogQuery
public import ShmLog
public import SharedMemory
public import Shipping

/// Why a run could not start or had to end.
public enum RunError: Error, Sendable, CustomStringConvertible {
  case format(FormatError)
  case query(QueryError)
  case recordRule(RecordRuleError)
  case log(LogError)
  /// The same, where the rules of a release before 5.2 are insisted on.
  case logFileInOldTool(LogError)
  /// The output can't be opened.
  case output(SinkError)
  case pidFile(PIDFileError)
  case spool(SpoolError)
  case system(SystemError)
  case instance(InstanceNameError)
  /// No running server was found in time; what was tried last, and why it failed.
  case noInstance(String)
  /// The run was told to end while it waited for the server.
  case interrupted
  /// The run was told to end while it did something else that takes its time.
  case interruptedWhile(String)

  /// One line.
  public var description: String {
    switch self {
    case .format(let error): error.description
    case .query(let error): "Query expression error:\n\(error.description)"
    case .recordRule(let error): error.description
    case .log(let error): error.description
    case .logFileInOldTool(.cannotOpen(let path, let reason)):
      "Can't open log file (Could not open \(path): \(reason)\n)"
    case .logFileInOldTool(let error): "Can't open log file (\(error.description)\n)"
    case .output(let error): "Can't open output file (\(error.detail)): \(error.target)"
    case .pidFile(let error): error.description
    case .spool(let error): error.description
    case .system(let error): error.description
    case .instance(let error): error.description
    case .noInstance(let detail): "VSM: Could not get hold of varnishd, is it running? (\(detail))"
    case .interrupted: "VSM: Attach interrupted"
    case .interruptedWhile(let what): "told to end while \(what)"
    }
  }

  /// The status the process ends with.
  public var exitStatus: Int32 { ExitStatus.failure }
}

/// What the process tells its parent.
public enum ExitStatus {
  /// All went well.
  public static let success: Int32 = 0
  /// Wrong usage, or an input that can't be read to its end.
  public static let failure: Int32 = 1
  /// An output failed.
  public static let outputFailed: Int32 = 4
  /// The run ended well, but something was lost.
  public static let incomplete: Int32 = 5
}
