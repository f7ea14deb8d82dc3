import Glibc
import Platform
import Spool

/// The file that is being written: how it is opened, and what is done with anything else that has its name.
///
/// What is opened is what was looked at: links are not followed here, a file that is there is compared with what
/// its name led to before, and one that isn't is made exclusively.
extension FileSink {
  /// How often it is tried to open what somebody else replaces at the same time.
  private static let attemptsMax = 10

  /// Opens the file that is written to from now on, and repairs it before if it is not as we left it.
  /// - Parameter isFirst: whether it is the one that the user has named.
  func openFile(at now: Moment, truncates: Bool, isFirst: Bool) throws(SinkError) {
    if upkeep.isUnseen, isSeries {
      // So that the numbers of former runs are known before another is given.
      _ = try? series.members(except: nil)
      upkeep.isUnseen = false
    }
    let path = try currentPath(now)
    if !naming.directoryParts.isEmpty { try series.makeDirectories(of: path, options.attributes) }
    for _ in 0..<Self.attemptsMax {
      do {
        if try openAttempt(path, now, truncates: truncates, isFirst: isFirst) { return }
      } catch {
        // It may have been made all the same, and the next attempt may have another name.
        upkeep.hasLeftovers = isSeries
        throw error
      }
    }
    throw SinkError(target: path, operation: "open", errno: .exists)
  }

  /// - Returns: false if it is to be tried again, as what was there is there no longer.
  private func openAttempt(
    _ path: String, _ now: Moment, truncates: Bool, isFirst: Bool
  ) throws(SinkError) -> Bool {
    let found: stat?
    do { found = try system.linkStatusIfAny(ofPath: path) } catch {
      throw SinkError(target: path, operation: "open", errno: error)
    }
    guard let found else { return try makeFile(path, now, isFirst: isFirst) }
    guard !found.isDirectory else { throw SinkError(target: path, operation: "open", errno: .isDirectory) }
    let trust = FileTrust(system: system)
    if let kind = trust.obstacle(
      path, found, isMarked: series.isOwn(path, found), heir: options.attributes.owner ?? inherited?.owner)
    {
      if isFirst {
        throw SinkError(target: path, operation: "open", refusal: "is \(kind.words), and isn't written to")
      }
      try putAside(path, found, kind, now)
      return false
    }
    let isAsWeLeftIt =
      closed?.identity == FileIdentity(found) && closed?.byteCount == Int(found.st_size)
    if !truncates, !isAsWeLeftIt, try !repair(path, found, now) { return false }
    return try openFound(path, found, now, truncates: truncates, isFirst: isFirst)
  }

  private func openFound(
    _ path: String, _ found: stat, _ now: Moment, truncates: Bool, isFirst: Bool
  ) throws(SinkError) -> Bool {
    do throws(Errno) {
      // Should it be a pipe by now, it isn't waited for.
      let descriptor = try system.open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
      do throws(Errno) {
        let status = try system.status(descriptor)
        guard FileIdentity(status) == FileIdentity(found), status.isRegular else {
          try system.close(descriptor)
          return false
        }
        if truncates, status.st_size > 0 { try system.truncate(descriptor, to: 0) }
        try prepare(descriptor, path, FileIdentity(status), now, options.attributes, mustApply: isFirst)
        try takeUp(descriptor, path, now)
        return true
      } catch {
        try? system.close(descriptor)
        throw error
      }
    } catch .noEntry, .tooManyLinks {
      return false
    } catch {
      throw SinkError(target: path, operation: "open", errno: error)
    }
  }

  /// Makes a new file, which says whose it is before it has a name, where the file system can do that.
  private func makeFile(_ path: String, _ now: Moment, isFirst: Bool) throws(SinkError) -> Bool {
    let attributes = options.attributes.completed(by: inherited)
    let mode: mode_t = attributes.mode == nil ? 0o666 : 0o600
    do throws(Errno) {
      let (descriptor, isNamed) = try openNew(path, mode)
      do throws(Errno) {
        let identity = FileIdentity(try system.status(descriptor))
        try prepare(descriptor, path, identity, now, attributes, mustApply: isFirst)
        if !isNamed, try !giveName(path, to: descriptor) {
          try system.close(descriptor)
          return false
        }
        try takeUp(descriptor, path, now)
        return true
      } catch {
        // It has nothing in it, and nobody knows of it.
        if isNamed { try? system.unlink(path) }
        try? system.close(descriptor)
        throw error
      }
    } catch .exists {
      return false
    } catch {
      throw SinkError(target: path, operation: "open", errno: error)
    }
  }

  /// - Returns: false if that can't be done here; then it isn't tried again.
  private func giveName(_ path: String, to descriptor: Int32) throws(Errno) -> Bool {
    do {
      try system.giveName(path, to: descriptor)
      return true
    } catch .notSupported, .invalid, .notPermitted, .otherDevice, .noEntry {
      upkeep.namesLater = false
      return false
    }
  }

  private func openNew(_ path: String, _ mode: mode_t) throws(Errno) -> (descriptor: Int32, isNamed: Bool) {
    let flags = O_WRONLY | O_APPEND | O_NOCTTY
    if SystemCalls.canGiveNames, upkeep.namesLater {
      do {
        return (try system.openUnnamed(FileNaming.directory(of: path), flags, mode: mode), false)
      } catch .notSupported, .isDirectory, .invalid {
        // Neither every file system nor every kernel has files without a name.
      }
    }
    return (try system.open(path, flags | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode), true)
  }

  /// Gives an open file its permissions and its mark.
  private func prepare(
    _ descriptor: Int32, _ path: String, _ identity: FileIdentity, _ now: Moment,
    _ attributes: FileAttributes, mustApply: Bool
  ) throws(Errno) {
    if !attributes.isEmpty {
      do {
        try attributes.apply(to: descriptor, system)
        upkeep.attributes.end()
      } catch {
        if mustApply { throw error }
        let failure = SinkError(target: path, operation: "chown or chmod", errno: error)
        upkeep.attributes.say(failure, "it hasn't the mode, owner and group of the one before it", warn)
      }
    }
    guard isSeries else { return }
    sequence = series.marks.nextSequence(at: now)
    series.marks.set(mark(.open), descriptor, identity)
    FaultPoint.rotationMarked.pass()
    // Tells another run that this one isn't left over; where that can't be said, it does no harm.
    try? system.lock(descriptor)
  }

  /// Makes an open file the current one.
  private func takeUp(_ descriptor: Int32, _ path: String, _ now: Moment) throws(Errno) {
    let status = try system.status(descriptor)
    FaultPoint.rotationOpened.pass()
    // A file that was begun before belongs to the period of its last line.
    period = schedule?.period(at: status.st_size > 0 ? Int64(status.st_mtim.tv_sec) : now.wallSeconds)
    rotationBytes = options.rotateBytes ?? .max
    rotationRetry = 0
    name = path
    file = EntryFile(owning: descriptor, path: path, status: status, system: system)
    isBegun = false
    upkeep.isDue = true
  }

  /// What the current file says of itself.
  func mark(_ state: FileMark.State) -> FileMark {
    FileMark(sequence: sequence, state: state, output: series.marks.output)
  }

  // MARK: What isn't ours

  /// Cuts what a kill has torn, and puts a file aside that isn't one of ours.
  /// - Returns: false if the path is free now.
  private func repair(_ path: String, _ found: stat, _ now: Moment) throws(SinkError) -> Bool {
    guard case .foreign(let kind) = try runRepair(path, found) else { return true }
    try putAside(path, found, kind, now)
    return false
  }

  /// Cuts what a kill has torn, and says so.
  func runRepair(_ path: String, _ found: stat) throws(SinkError) -> FileRepair.Outcome {
    let repair = FileRepair(
      path: path, identity: FileIdentity(found), isCompressed: naming.isCompressed, binary: options.binary,
      header: options.header, isMarked: series.isOwn(path, found), system: system)
    let outcome = try repair.run()
    if case .cut(let bytes, let left) = outcome {
      let what = naming.isCompressed ? "gzip member" : options.binary == nil ? "line" : "record"
      warn("\(path): cut \(bytes) bytes of a torn \(what), \(left) bytes are left")
    }
    return outcome
  }

  /// Gives what isn't ours another name that tells what it is.
  private func putAside(_ path: String, _ found: stat, _ kind: ForeignKind, _ now: Moment) throws(SinkError) {
    let aside = try rename(path, FileIdentity(found)) { attempt in
      naming.aside(path, kind, at: now.wallSeconds, attempt: attempt)
    }
    guard let aside else { return }
    warn("\(path): \(kind.words): put aside as \(FileNaming.fileName(of: aside))")
  }

  /// Renames what a path led to when it was looked at to the first name that is free.
  /// - Returns: that name; nil if the path leads to something else by now, or to nothing.
  func rename(
    _ path: String, _ identity: FileIdentity, to name: (_ attempt: Int) -> String
  ) throws(SinkError) -> String? {
    var attempt = 1
    while true {
      let new = name(attempt)
      do {
        guard let status = try system.linkStatusIfAny(ofPath: path), FileIdentity(status) == identity else {
          return nil
        }
        try system.rename(path, toNew: new)
        if let renamed = try? system.linkStatus(ofPath: new), FileIdentity(renamed) != identity {
          // Somebody has put another file there between looking and renaming.
          try? system.rename(new, toNew: path)
          return nil
        }
        return new
      } catch .exists {
        attempt += 1
      } catch .noEntry {
        return nil
      } catch {
        throw SinkError(target: path, operation: "rename", errno: error)
      }
    }
  }
}
