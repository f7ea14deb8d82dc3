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
///     old ones are deleted         too many files, until the next look
///
/// A file says that it is finished only when it is complete and on the disk, so that one that says so, or has a
/// finished name, is whole; and one that says that it is being written may be torn and is repaired before anything
/// else is done with it. What waits for its command says that, too, until the command has ended.
extension FileSink {
  /// Finishes the current file and closes it, unless it has no entries and would be followed by one of the same
  /// name.
  func rotate(_ now: Moment) throws(SinkError) {
    let next = try currentPath(now)
    if next == name, byteCount <= emptyBytes {
      period = schedule?.period(at: now.wallSeconds)
      isReopenDue = false
      return
    }
    FaultPoint.rotationFlushed.pass()
    try file?.synchronize()
    FaultPoint.rotationSynced.pass()
    // If it has got another name or none, somebody else has put it away.
    if let identity = identityIfNamed {
      noteState(command == nil ? .done : .waiting, identity)
      FaultPoint.rotationNoted.pass()
      if next != name {
        finish(addSuffix(to: name, identity, now) ?? name, identity, now)
      } else if let finished = putAway(identity, now) {
        finish(finished, identity, now)
      } else {
        noteState(.open, identity)
        return
      }
      synchronizeDirectory()
      FaultPoint.rotationDirectorySynced.pass()
    }
    isReopenDue = false
    upkeep.isDue = true
    try closeFile()
    FaultPoint.rotationClosed.pass()
  }

  /// Has the current file say how far it has come.
  private func noteState(_ state: FileMark.State, _ identity: FileIdentity) {
    guard let descriptor = file?.descriptor else { return }
    series.marks.set(mark(state), descriptor, identity)
  }

  /// Closes the file; whatever closing says, it is closed then.
  func closeFile() throws(SinkError) {
    guard var closing = file.take() else { return }
    isBegun = false
    closed = closing.isTorn ? nil : (closing.identity, closing.byteCount)
    if let status = try? system.status(closing.descriptor) { inherited = FileAttributes(status) }
    try closing.close()
  }

  /// The path that the current file has at a moment.
  func currentPath(_ now: Moment) throws(SinkError) -> String {
    guard let path = naming.current(at: now.wallSeconds) else {
      throw SinkError(target: naming.template, operation: "expand", errno: .nameTooLong)
    }
    return path
  }

  /// The identity of the current file, if it still has its name.
  private var identityIfNamed: FileIdentity? {
    guard let identity = file?.identity, let status = try? system.linkStatus(ofPath: name),
      FileIdentity(status) == identity
    else { return nil }
    return identity
  }

  /// Gives the current file its finished name; nil when that is impossible.
  ///
  /// That is no reason to stop: it goes on growing, and the next attempt is made one size or a minute later.
  private func putAway(_ identity: FileIdentity, _ now: Moment) -> String? {
    do {
      let finished = try putAway(name, identity, now)
      FaultPoint.rotationRenamed.pass()
      upkeep.renaming.end()
      return finished
    } catch {
      if let size = options.rotateBytes { rotationBytes = byteCount + size }
      rotationRetry = now.steadyNanoseconds + Upkeep.nanoseconds
      upkeep.renaming.say(error, "the file goes on growing", warn)
      return nil
    }
  }

  /// Renames a file to a finished name that nothing has yet.
  private func putAway(
    _ path: String, _ identity: FileIdentity, _ now: Moment
  ) throws(SinkError) -> String {
    let finished = try rename(path, identity) { attempt in
      naming.finished(path, at: now.wallSeconds, attempt: attempt)
    }
    guard let finished else { throw SinkError(target: path, operation: "rename", errno: .noEntry) }
    return finished
  }

  /// Gives a finished compressed file whose name does not say so the name that does.
  ///
  /// - Returns: that name; nil if it has it already, or can't get it now.
  func addSuffix(to path: String, _ identity: FileIdentity, _ now: Moment) -> String? {
    guard let finished = naming.withSuffix(path) else { return nil }
    do {
      // Where that name is taken, the file gets one with the time of its closing.
      let name = try rename(path, identity) { attempt in
        attempt == 1 ? finished : naming.finished(path, at: now.wallSeconds, attempt: attempt - 1)
      }
      FaultPoint.rotationRenamed.pass()
      upkeep.renaming.end()
      return name
    } catch {
      upkeep.hasLeftovers = true
      upkeep.renaming.say(error, "it is tried again later", warn)
      return nil
    }
  }

  /// Has the command run for the current file, which is finished.
  private func finish(_ path: String, _ identity: FileIdentity, _ now: Moment) {
    guard command != nil, let status = try? system.linkStatus(ofPath: path) else { return }
    enlist(path, identity, mark(.waiting), status.st_mtim, now)
  }

  /// Without it, a power cut may leave a finished file with the name that it had before, which is whole all
  /// the same.
  private func synchronizeDirectory() {
    let directory = FileNaming.directory(of: name)
    do {
      try system.synchronize(directory: directory)
      upkeep.directory.end()
    } catch .invalid, .unsupported, .notSupported {
      // The file system has no such thing.
    } catch {
      upkeep.directory.say(
        SinkError(target: directory, operation: "fsync", errno: error), "names may be lost by a power cut",
        warn)
    }
  }
}
