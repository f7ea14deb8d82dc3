import Glibc
import Platform
import Spool

/// One file after the other.
///
/// The steps of a rotation, and what a kill or a power cut behind each of them leaves to the next run:
///
///     the file is synchronized     a complete file under its own name: it is appended to, and put away
///     it says that it is finished  the same, unless it keeps its name: then a finished file
///     it gets its finished name    a finished file
///     the directory is too         the same after a power cut
///     it is closed                 nothing else
///     the next one is opened       an empty file: it is begun
///     it says whose it is          the same
///     it gets its header           a file without entries
///     it is noted, if there is a checkpoint: until then the finished file is, which ends where it was noted
///     old ones are deleted         too many files, until the next look
///
/// A file says that it is finished only when it is complete and on the disk, so that one that says so, or has a
/// finished name, is whole; and one that says that it is being written may be torn and is repaired before anything
/// else is done with it. What waits for its command says that, too, until the command has ended.
extension FileSeries {
  /// What came of putting a file away.
  enum Outcome {
    /// It goes on, and isn't closed: it has no entries, or can't get its name.
    case kept
    /// It is finished, and is to be closed.
    case finished(FinishedFile)
    /// Another process has put it away; it is to be closed.
    case gone
  }

  /// Finishes the current file, unless it has no entries and would be followed by one of the same name.
  /// - Parameter finalState: what a finished file says of itself.
  mutating func putAway(at now: Moment, as finalState: FileMark.State) throws(SystemError) -> Outcome {
    guard let current else { return .gone }
    let next = try currentPath(now)
    let period = schedule?.period(at: now.wallSeconds)
    if next == path, isEmpty {
      let turn = CurrentFile.Turn.due(byteCount: options.rotateBytes ?? .max)
      update { file in
        file.period = period
        if case .letGo = file.turn { file.turn = turn }
      }
      return .kept
    }
    FaultPoint.rotationFlushed.pass()
    try current.file.synchronize()
    FaultPoint.rotationSynced.pass()
    let identity = current.file.identity
    // If it has got another name or none, another process has put it away.
    guard let status = try? system.linkStatus(ofPath: path), FileIdentity(status) == identity else {
      return .gone
    }
    let mark = mark(finalState, current.number)
    catalog.marks.set(mark, current.file.descriptor, identity)
    FaultPoint.rotationNoted.pass()
    let name: FileCatalog.FinalName
    if next != path {
      name = catalog.addSuffix(to: path, identity, now)
    } else if let finished = catalog.giveFinishedName(to: path, identity, now) {
      name = .given(finished)
    } else {
      catalog.marks.set(self.mark(.open, current.number), current.file.descriptor, identity)
      postpone(now)
      return .kept
    }
    synchronizeDirectory()
    FaultPoint.rotationDirectorySynced.pass()
    return .finished(FinishedFile(path: path, name: name, identity: identity, mark: mark))
  }

  /// Has the current file go on, as it can't be put away: the next attempt is made one size or a minute later.
  private mutating func postpone(_ now: Moment) {
    let nextByteCount = options.rotateBytes.map { byteCount + $0 } ?? .max
    update {
      $0.turn = .postponed(
        byteCount: nextByteCount, untilNanoseconds: now.steadyNanoseconds + Upkeep.nanoseconds)
    }
  }

  /// Without it, a power cut may leave a finished file with the name that it had before, which is whole all
  /// the same.
  mutating func synchronizeDirectory() {
    let path = FileNaming.directory(of: path)
    do {
      try system.synchronize(directory: path)
      directory.end()
    } catch .invalid, .unsupported, .notSupported {
      // The file system has no such thing.
    } catch {
      directory.say(
        SystemError(operation: "fsync", path: path, errno: error), "names may be lost by a power cut", warn)
    }
  }
}
