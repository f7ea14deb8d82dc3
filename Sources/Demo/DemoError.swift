public import LogWriting
public import Pipeline
public import Platform

/// The reason why a demonstration can't start or continue.
public enum DemoError: Error, Sendable, CustomStringConvertible {
  /// The log can't be written.
  case log(LogWriterError)
  /// The log can't be followed, or lines can't be rendered.
  case run(RunError)
  /// A system call failed.
  case system(SystemError)

  /// One line.
  public var description: String {
    switch self {
    case .log(let error): error.description
    case .run(let error): error.description
    case .system(let error): error.description
    }
  }
}
