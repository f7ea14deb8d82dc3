import Glibc
import Platform
import Spool

/// Finishes files, one after the other.
///
/// The steps of a rotation, and what a kill or a power cut behind each of them leaves to the next run:
///
///     the file is synchronized       a complete file under its own name: it is appended to, and put away
///     its mark says "finished"       the same, unless it keeps its name: then a finished file
///     it gets its finished name      a finished file
///     the directory is synchronized  the same after a power cut
///     the file is closed             nothing else
///     the next file is opened        an empty file: it is begun
///     it gets its mark               the same
///     it gets its header             a file without entries
///     it is noted, if there is a checkpoint: until then the finished file is, which ends where it was noted
///     old files are deleted          too many files, until the next upkeep
///
/// A file's mark says that the file is finished only when it is complete and on the disk, so that a file with
/// such a mark, or with a finished name, is whole. A file marked as being written may be torn, and is
/// repaired before anything else is done with it. The mark of a file that waits for its command says that,
/// too, until the command has ended.
extension FileSeries {
  /// The outcome of putting a file away.
  enum Outcome {
    /// The file is continued, and isn't closed: it has no entries, or can't get its name.
    case kept
    /// The file is finished, and must be closed.
    case finished(FinishedFile)
    /// Another process has put the file away; it must be closed.
    case gone
  }

  /// Finishes the current file, unless it has no entries and would be followed by one of the same name.
  /// - Parameter finalState: the state in the mark of a finished file.
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
    // If the file has another name or none, another process has put it away.
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

  /// Continues the current file, as it can't be put away: the next attempt is made one size or a minute
  /// later.
  private mutating func postpone(_ now: Moment) {
    let nextByteCount = options.rotateBytes.map { byteCount + $0 } ?? .max
    update {
      $0.turn = .postponed(
        byteCount: nextByteCount, untilNanoseconds: now.steadyNanoseconds + Upkeep.nanoseconds)
    }
  }

  /// Puts names on the disk: without that, a power cut may leave a finished file with its former name, but
  /// whole.
  mutating func synchronizeDirectory() {
    let path = FileNaming.directory(of: path)
    do {
      try system.synchronize(directory: path)
      directory.end()
    } catch .invalid, .unsupported, .notSupported {
      // The file system can't synchronize directories.
    } catch {
      directory.say(
        SystemError(operation: "fsync", path: path, errno: error), "names may be lost by a power cut", warn)
    }
  }
}
