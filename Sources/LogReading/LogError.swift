public import Platform

/// Why a log can't be read, or not any further.
public enum LogError: Error, Sendable, CustomStringConvertible {
  /// The file can't be opened.
  case cannotOpen(SystemError)
  /// Reading from the file failed, or it ended before its marker did.
  case readFailed(reason: String)
  /// The first bytes are no marker of a log file.
  case notALog(path: String)
  /// The file ends in the middle of a record.
  case truncated(path: String, offset: Int, isDecoded: Bool = false, needed: Int, left: Int)
  /// There is something at `offset` (in bytes) that no server writes.
  case damaged(path: String, offset: Int, isDecoded: Bool = false, problem: String)
  /// The file is compressed, and from `offset` on (in bytes, as it is) it can't be decoded.
  case undecodable(path: String, offset: Int, problem: String)
  /// What was named holds no log, or more than one.
  case unclear(path: String, problem: String)
  /// A system call on one of a live log's files failed.
  case system(SystemError)

  /// One line without the program's name.
  ///
  /// The first three are worded as the log's own tools word them, because scripts look for them.
  public var description: String {
    switch self {
    case .cannotOpen(let error): "Cannot open \(error.path): \(error.reason)\(error.explanation)"
    case .readFailed(let reason): "VSL file read error: \(reason)"
    case .notALog(let path): "Not a VSL file: \(path)"
    case .truncated(let path, let offset, let isDecoded, let needed, let left):
      Self.place(path, offset, isDecoded: isDecoded)
        + ": the record needs \(needed) bytes, but only \(left) are left"
    case .damaged(let path, let offset, let isDecoded, let problem):
      "\(Self.place(path, offset, isDecoded: isDecoded)): \(problem)"
    case .undecodable(let path, let offset, let problem):
      "\(path): compressed byte offset \(offset): \(problem)"
    case .unclear(let path, let problem): "\(path): \(problem)"
    case .system(let error): error.description
    }
  }

  /// The beginning of a message about a place in a log.
  ///
  /// - Parameter isDecoded: whether the log was compressed, so that the offset counts decoded bytes.
  public static func place(_ path: String, _ offset: Int, isDecoded: Bool) -> String {
    "\(path): \(isDecoded ? "decoded " : "")byte offset \(offset)"
  }

  /// The message about requests in a log of 2.0 to 3.0 that were left out.
  public static func incomplete(_ count: Int) -> String {
    "\(counted(count, "request")) left out: the log lacks a part, or there is too much of it"
  }
}

extension LogError {
  /// Runs a closure, and makes the error of a failed system call in it a `LogError`.
  static func wrapping<Value: ~Copyable>(
    _ body: () throws(SystemError) -> Value
  ) throws(LogError) -> Value {
    do throws(SystemError) {
      return try body()
    } catch {
      throw .system(error)
    }
  }
}
