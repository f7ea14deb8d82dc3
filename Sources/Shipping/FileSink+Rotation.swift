import Glibc
import Platform

/// One file after the other.
///
/// The steps of a rotation, and what a kill or a power cut behind each of them leaves to the next run:
///
///     the file is synchronized     a complete file under its own name: it is appended to, and put away
///     it gets its finished name    a finished file
///     the directory is too         the same after a power cut
///     it is closed                 nothing else
///     the next one is opened       an empty file: it is begun
///     it gets its header           a file without records
///     old ones are deleted         too many files, until the next look
///
/// No other mark of a finished file is needed than its name: it gets that only when it is complete and on the
/// disk, so that a file with a finished name is whole, and one without may be torn and is repaired before
/// anything else is done with it. Where the time in the name alone makes the difference, and no file is
/// renamed, only the latest can be torn, because none is begun before the one before it is complete.
extension FileSink {
  /// Finishes the current file and closes it, unless it has no records and would be followed by one of the same
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
    if isStillNamed {
      if next != name {
        finish(addSuffix(to: name, now) ?? name)
      } else if let finished = putAway(now) {
        finish(finished)
      } else {
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

  /// Closes the file; whatever closing says, it is closed then.
  func closeFile() throws(SinkError) {
    guard var closing = file.take() else { return }
    isBegun = false
    closed = closing.isTorn ? nil : (closing.identity, closing.byteCount)
    try closing.close()
  }

  /// Opens the file that is written to from now on, and repairs it before if it is not as we left it.
  func openFile(at now: Moment, truncates: Bool) throws(SinkError) {
    let path = try currentPath(now)
    if !truncates, let status = system.status(ofPath: path),
      closed?.identity != FileIdentity(status)
        || closed?.byteCount != Int(status.st_size)
    {
      try repair(path, now)
    }
    let opened: RecordFile
    do {
      opened = try RecordFile(path: path, truncates: truncates, system: system)
    } catch {
      // It may have been made all the same, and the next attempt may have another name.
      upkeep.hasLeftovers = true
      throw error
    }
    FaultPoint.rotationOpened.pass()
    // A file that was begun before belongs to the period of its last line.
    let begun = opened.byteCount > 0 ? try? system.status(opened.descriptor).st_mtim.tv_sec : nil
    period = schedule?.period(at: begun.map(Int64.init) ?? now.wallSeconds)
    rotationBytes = options.rotateBytes ?? .max
    rotationRetry = 0
    name = path
    file = consume opened
    isBegun = false
    upkeep.isDue = true
  }

  /// The path that the current file has at a moment.
  func currentPath(_ now: Moment) throws(SinkError) -> String {
    guard let path = naming.current(at: now.wallSeconds) else {
      throw SinkError(target: naming.template, operation: "expand", errno: .nameTooLong)
    }
    return path
  }

  private var isStillNamed: Bool {
    guard let identity = file?.identity, let status = system.status(ofPath: name) else { return false }
    return FileIdentity(status) == identity
  }

  /// Gives the current file its finished name; nil when that is impossible.
  ///
  /// That is no reason to stop: it goes on growing, and the next attempt is made one size or a minute later.
  private func putAway(_ now: Moment) -> String? {
    do {
      let finished = try putAway(name, now)
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
  private func putAway(_ path: String, _ now: Moment) throws(SinkError) -> String {
    var attempt = 1
    while true {
      let finished = naming.finished(path, at: now.wallSeconds, attempt: attempt)
      do {
        try system.rename(path, toNew: finished)
        return finished
      } catch .exists {
        attempt += 1
      } catch {
        throw SinkError(target: path, operation: "rename", errno: error)
      }
    }
  }

  /// Gives a finished compressed file whose name does not say so the name that does.
  ///
  /// - Returns: that name; nil if it has it already, or can't get it now.
  func addSuffix(to path: String, _ now: Moment) -> String? {
    guard let finished = naming.withSuffix(path) else { return nil }
    do {
      let finished = try rename(path, to: finished, now)
      FaultPoint.rotationRenamed.pass()
      upkeep.renaming.end()
      return finished
    } catch {
      upkeep.hasLeftovers = true
      upkeep.renaming.say(error, "it is tried again later", warn)
      return nil
    }
  }

  private func rename(_ path: String, to finished: String, _ now: Moment) throws(SinkError) -> String {
    do {
      try system.rename(path, toNew: finished)
      return finished
    } catch .exists {
      return try putAway(path, now)
    } catch {
      throw SinkError(target: path, operation: "rename", errno: error)
    }
  }

  /// Says that a file is finished.
  func finish(_ path: String) { command?.run(for: path) }

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

  /// Cuts what a kill has torn, and puts a file aside that is damaged otherwise.
  private func repair(_ path: String, _ now: Moment) throws(SinkError) {
    switch try runRepair(path) {
    case .whole, .cut:
      break
    case .damaged(let offset):
      let what =
        naming.isCompressed
        ? "no valid gzip member at byte \(offset)"
        : options.binary == nil ? "not a file of lines" : "not a VSL file"
      warn("\(path): \(what): put aside as it is")
      _ = try putAway(path, now)
    }
  }

  /// Cuts what a kill has torn, and says so.
  func runRepair(_ path: String) throws(SinkError) -> FileRepair.Outcome {
    let repair = FileRepair(
      path: path, isCompressed: naming.isCompressed, binary: options.binary, header: options.header,
      system: system)
    let outcome = try repair.run()
    if case .cut(let bytes, let left) = outcome {
      let what = naming.isCompressed ? "gzip member" : options.binary == nil ? "line" : "record"
      warn("\(path): cut \(bytes) bytes of a torn \(what), \(left) bytes are left")
    }
    return outcome
  }
}
