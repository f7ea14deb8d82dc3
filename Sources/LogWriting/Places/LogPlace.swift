import Glibc
import Platform

/// A directory in which this process, and no other, may make a log.
///
/// Two writers in one place mean that one was given a wrong name, or that a process was started again while
/// the old one was still ending. The second must stop, for readers can't follow both; but the remains of a
/// writer that is dead, and files that can't be understood, are removed and made anew, never written over, so
/// that processes that still read them can see by stat(2) that they are gone:
///
/// | what is found | what is done |
/// | --- | --- |
/// | `_.pid` or `_.vsm`, locked by another writer | stop |
/// | an index or single file whose process runs and is older than it | stop |
/// | the same with a number that another program was given since | remove |
/// | a process that is dead; a child that isn't, without its master | remove |
/// | another version, layout or size; a file that can't be read; a symbolic link | remove |
/// | something among a log's files that no log has left there | stop |
final class LogPlace: Sendable {
  let directory: WriterDirectory
  private let lock: LogLock
  /// When this log was made, in seconds since 1970; every log of this process has its own.
  let birth: Int64

  static let managerName = "_.vsm_mgt"
  static let workerName = "_.vsm_child"
  static let indexName = "_.index"
  static let fileName = "_.vsm"
  private static let oldestFileName = "_.vsl"

  /// Takes a directory, which is made if it isn't there, and removes what dead writers left in it.
  ///
  /// - Parameter keepsFile: whether an older single file stays until a new one is put in its place.
  /// - Throws: `LogWriterError.inUse` if another writer has a log there.
  init(_ path: String, keepsFile: Bool) throws(LogWriterError) {
    let directory = try LogWriterError.wrapping { () throws(SystemError) in try WriterDirectory.open(path) }
    self.directory = directory
    lock = try LogLock(in: directory)
    let remains = LogRemains(directory)
    // This process has the lock, so a log that bears its number was left by an earlier process of the same
    // number.
    if let owner = try remains.owner(), owner != getpid() { throw .inUse(path: path, pid: owner) }
    birth = Self.nextBirth(after: remains.newestBirth)
    try Self.removeSet(Self.workerName, in: directory)
    try Self.removeSet(Self.managerName, in: directory)
    let entries = try LogWriterError.wrapping { () throws(SystemError) in try directory.entries() }
    for entry in entries {
      let isOld = entry == Self.oldestFileName || (entry == Self.fileName && !keepsFile)
      // A file that was being made when its writer died.
      let isUnfinished = entry.hasPrefix(Self.fileName + ".") && Int32(entry.dropFirst(6)) != nil
      if isOld || isUnfinished { try Self.remove(entry, in: directory) }
    }
    try LogWriterError.wrapping { () throws(SystemError) in try lock.sign() }
  }

  /// Lets other processes make a log here.
  func release() { lock.release() }

  // MARK: Removing

  /// Removes an index and its segments; the index first, so that no reader finds segments missing.
  static func removeSet(_ name: String, in directory: WriterDirectory) throws(LogWriterError) {
    guard
      let set = try LogWriterError.wrapping({ () throws(SystemError) in try directory.subdirectory(name) })
    else { return try remove(name, in: directory) }
    let entries = try LogWriterError.wrapping { () throws(SystemError) in try set.entries() }
    if let foreign = entries.first(where: { !$0.hasPrefix("_.") }) {
      throw .obstructed(path: set.path, entry: foreign)
    }
    _ = set.remove(indexName)
    for entry in entries where entry != indexName { try remove(entry, in: set) }
    guard unsafe unlinkat(directory.descriptor, name, AT_REMOVEDIR) == 0 || errno == ENOENT else {
      throw .system(SystemError(operation: "remove", path: set.path))
    }
  }

  private static func remove(_ name: String, in directory: WriterDirectory) throws(LogWriterError) {
    if directory.remove(name) || errno == ENOENT { return }
    throw .system(SystemError(operation: "remove", path: directory.path + "/" + name))
  }

  // MARK: Birth

  private static let lastBirth = Guarded<Int64>(0)

  /// Two logs of one process are told apart by their births alone.
  private static func nextBirth(after newest: Int64) -> Int64 {
    lastBirth.withLock { last in
      last = max(Int64(time(nil)), last + 1, newest + 1)
      return last
    }
  }
}
