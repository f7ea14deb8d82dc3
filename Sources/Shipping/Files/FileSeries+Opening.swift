import Glibc
import Platform
import Spool

/// Opens the file that is being written, and deals with anything else that has its name.
///
/// Only the file that was looked at is opened: links are not followed, an existing file is compared with what
/// its name led to before, and a missing one is made exclusively.
extension FileSeries {
  /// How many attempts are made to open a file that another process keeps replacing.
  private static let attemptsMax = 10

  /// Opens the file that is written to from now on, after repairing it if it isn't as we left it.
  /// - Parameter isFirst: whether it is the file that the user has named.
  mutating func open(at now: Moment, truncates: Bool, isFirst: Bool) throws(SystemError) {
    if !hasLookedBack, options.makesSeries {
      // So that the numbers of former runs are known before another is given.
      _ = try? catalog.members(except: nil)
      hasLookedBack = true
    }
    let path = try currentPath(now)
    if !naming.directoryParts.isEmpty { try catalog.makeDirectories(of: path, options.attributes) }
    for _ in 0..<Self.attemptsMax {
      if try openAttempt(path, now, truncates: truncates, isFirst: isFirst) { return }
    }
    throw SystemError(operation: "open", path: path, errno: .exists)
  }

  /// The path that the current file has at a moment.
  func currentPath(_ now: Moment) throws(SystemError) -> String {
    guard let path = naming.current(at: now.wallSeconds) else {
      throw SystemError(operation: "expand", path: naming.template, errno: .nameTooLong)
    }
    return path
  }

  /// The file that was closed last; nil while one is open.
  private var predecessor: Predecessor? {
    if case .closed(let predecessor) = state { predecessor } else { nil }
  }

  /// Tries to open or to make the file.
  ///
  /// - Returns: false if another attempt is needed, as the file that was looked at is gone.
  private mutating func openAttempt(
    _ path: String, _ now: Moment, truncates: Bool, isFirst: Bool
  ) throws(SystemError) -> Bool {
    let found: stat?
    do { found = try system.linkStatusIfAny(ofPath: path) } catch {
      throw SystemError(operation: "open", path: path, errno: error)
    }
    guard let found else { return try makeFile(path, now, isFirst: isFirst) }
    guard !found.isDirectory else { throw SystemError(operation: "open", path: path, errno: .isDirectory) }
    let trust = FileTrust(system: system)
    if let kind = trust.obstacle(
      path, found, isMarked: catalog.isOwn(path, found),
      heir: options.attributes.owner ?? predecessor?.attributes?.owner)
    {
      if isFirst {
        throw SystemError(operation: "open", path: path, problem: "is \(kind.words), and isn't written to")
      }
      try putAside(path, found, kind, now)
      return false
    }
    let isAsWeLeftIt =
      predecessor?.left.map { $0 == (FileIdentity(found), Int(found.st_size)) } ?? false
    if !truncates, !isAsWeLeftIt, case .foreign(let kind) = try catalog.repair(path, found) {
      try putAside(path, found, kind, now)
      return false
    }
    return try openFound(path, found, now, truncates: truncates, isFirst: isFirst)
  }

  private mutating func openFound(
    _ path: String, _ found: stat, _ now: Moment, truncates: Bool, isFirst: Bool
  ) throws(SystemError) -> Bool {
    do throws(Errno) {
      // If it has become a pipe, opening it must not wait.
      let descriptor = try system.open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
      do throws(Errno) {
        let status = try system.status(descriptor)
        guard FileIdentity(status) == FileIdentity(found), status.isRegular else {
          try system.close(descriptor)
          return false
        }
        if truncates, status.st_size > 0 { try system.truncate(descriptor, to: 0) }
        let number = try prepare(
          descriptor, path, FileIdentity(status), number: catalog.number(path, status), now,
          options.attributes,
          mustApply: isFirst)
        try takeUp(descriptor, path, number, now)
        return true
      } catch {
        try? system.close(descriptor)
        throw error
      }
    } catch .noEntry, .tooManyLinks {
      return false
    } catch {
      throw SystemError(operation: "open", path: path, errno: error)
    }
  }

  /// Makes a new file, with its mark set before it gets its name, where the file system can do that.
  private mutating func makeFile(_ path: String, _ now: Moment, isFirst: Bool) throws(SystemError) -> Bool {
    let attributes = options.attributes.completed(by: predecessor?.attributes)
    let mode: mode_t = attributes.mode == nil ? 0o666 : 0o600
    do throws(Errno) {
      let (descriptor, isNamed) = try openNew(path, mode)
      do throws(Errno) {
        let identity = FileIdentity(try system.status(descriptor))
        let number = try prepare(
          descriptor, path, identity, number: nil, now, attributes, mustApply: isFirst)
        if !isNamed, try !giveName(path, to: descriptor) {
          try system.close(descriptor)
          return false
        }
        try takeUp(descriptor, path, number, now)
        return true
      } catch {
        // It is empty, and not in use yet.
        if isNamed { try? system.unlink(path) }
        try? system.close(descriptor)
        throw error
      }
    } catch .exists {
      return false
    } catch {
      throw SystemError(operation: "open", path: path, errno: error)
    }
  }

  /// Gives an open file without a name its name.
  ///
  /// - Returns: false if that isn't possible here; it isn't tried again then.
  private mutating func giveName(_ path: String, to descriptor: Int32) throws(Errno) -> Bool {
    do {
      try system.giveName(path, to: descriptor)
      return true
    } catch .notSupported, .invalid, .notPermitted, .otherDevice, .noEntry {
      namesLater = false
      return false
    }
  }

  private mutating func openNew(_ path: String, _ mode: mode_t) throws(Errno) -> (
    descriptor: Int32, isNamed: Bool
  ) {
    let flags = O_WRONLY | O_APPEND | O_NOCTTY
    if SystemCalls.canGiveNames, namesLater {
      do {
        return (try system.openUnnamed(FileNaming.directory(of: path), flags, mode: mode), false)
      } catch .notSupported, .isDirectory, .invalid {
        // Some file systems and kernels have no files without a name.
      }
    }
    return (try system.open(path, flags | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode), true)
  }

  /// Gives an open file its permissions and its mark.
  ///
  /// - Parameter number: the file's number, if it is a file of this output.
  /// - Returns: its number.
  private mutating func prepare(
    _ descriptor: Int32, _ path: String, _ identity: FileIdentity, number: Int64?, _ now: Moment,
    _ attributes: FileAttributes, mustApply: Bool
  ) throws(Errno) -> Int64 {
    if !attributes.isEmpty {
      do {
        try attributes.apply(to: descriptor, system)
        self.attributes.end()
      } catch {
        if mustApply { throw error }
        let failure = SystemError(operation: "chown or chmod", path: path, errno: error)
        self.attributes.say(failure, "it hasn't the mode, owner and group of the one before it", warn)
      }
    }
    guard options.makesSeries else { return 0 }
    let number = catalog.marks.number(keeping: number, at: now)
    catalog.marks.set(mark(.open, number), descriptor, identity)
    FaultPoint.rotationMarked.pass()
    // The lock tells another run that this file isn't left over; a file that can't be locked does no harm.
    try? system.lock(descriptor)
    return number
  }

  /// Makes an open file the current one.
  private mutating func takeUp(
    _ descriptor: Int32, _ path: String, _ number: Int64, _ now: Moment
  ) throws(Errno) {
    let status = try system.status(descriptor)
    FaultPoint.rotationOpened.pass()
    // A file that was begun before belongs to the period of its last line.
    let lastSecond = status.st_size > 0 ? Int64(status.st_mtim.tv_sec) : now.wallSeconds
    state = .opened(
      CurrentFile(
        file: EntryFile(owning: descriptor, path: path, status: status, system: system), number: number,
        inherited: predecessor?.attributes, period: schedule?.period(at: lastSecond),
        turn: .due(byteCount: options.rotateBytes ?? .max)))
  }

  /// The mark of a file of this output.
  func mark(_ state: FileMark.State, _ number: Int64) -> FileMark {
    FileMark(number: number, state: state, output: catalog.marks.output)
  }

  /// Renames a file that isn't ours to a name that tells what it is.
  private func putAside(
    _ path: String, _ found: stat, _ kind: ForeignKind, _ now: Moment
  ) throws(SystemError) {
    let aside = try catalog.rename(path, FileIdentity(found)) { attempt in
      naming.aside(path, kind, at: now.wallSeconds, attempt: attempt)
    }
    guard let aside else { return }
    warn("\(path): \(kind.words): put aside as \(FileNaming.fileName(of: aside))")
  }
}
