public import LogReading
public import LogWriting
public import Platform

/// The reason why nothing could be replayed.
public enum ReplayError: Error, Sendable, CustomStringConvertible {
  /// The captured log can't be read.
  case log(LogError)
  /// The live log can't be made.
  case writer(LogWriterError)
  /// No version has a live log of the kind that was asked for.
  case conversion(String)
  /// An input that can be read only once, such as a pipe, was to be played more often.
  case notRepeatable(path: String)
  /// The live log would overwrite a captured one.
  case inputInTheWay(path: String, directory: String)
  /// A system call failed.
  case system(SystemError)

  /// One line without the program's name.
  public var description: String {
    switch self {
    case .log(let error): error.description
    case .writer(let error): error.description
    case .conversion(let problem): problem
    case .notRepeatable(let path): "\(path): only a file can be played more than once"
    case .inputInTheWay(let path, let directory):
      "\(path): would be replaced by the log that is made in \(directory); expected another directory"
    case .system(let error): error.description
    }
  }
}
