import Glibc
import Platform
import Spool

/// The files that an output has made: which there are, their order, and their names.
///
/// An output's own files carry its mark. Files without a mark, made by an earlier version or copied here, are
/// its own if they have exactly the names that it gives, and count as older than all marked files. A file
/// with the mark of another output is never touched, even if it has such a name.
struct FileCatalog {
  /// A file that isn't the current one.
  struct Member {
    let path: String
    let identity: FileIdentity
    /// The file's mark; nil if it has none.
    let mark: FileMark?
    let byteCount: Int
    let lastChange: timespec
    let owner: uid_t
    fileprivate let age: FileNaming.Age

    /// The second of the last line.
    var lastSecond: Int64 { Int64(lastChange.tv_sec) }
  }

  /// The file that is being written, or was last.
  struct Current {
    let path: String
    /// The identity of the open file; nil if none is open.
    let identity: FileIdentity?
  }

  let naming: FileNaming
  let system: SystemCalls
  let warn: @Sendable (String) -> Void
  /// What the files hold.
  let content: EntryContent
  var marks: FileMarks
  var renaming = Trouble<FailedOperation>()
  private let trust: FileTrust

  /// Makes the catalog of the files whose current one has a path, which may have been made from the time.
  init(
    _ options: FileOptions, path: String, system: SystemCalls, warn: @escaping @Sendable (String) -> Void
  ) {
    naming = options.naming(path)
    self.system = system
    self.warn = warn
    content = options.content
    marks = FileMarks(output: naming.outputKey, system: system)
    trust = FileTrust(system: system)
  }

  /// Whether a file's mark says that this output has made it.
  mutating func isOwn(_ path: String, _ status: stat) -> Bool {
    if case .own = marks.claim(path, status) { return true }
    return false
  }

  /// The number of a file; nil if it isn't known to be this output's.
  mutating func number(_ path: String, _ status: stat) -> Int64? {
    if case .own(let mark) = marks.claim(path, status) { return mark.number }
    return nil
  }

  /// All files but the current one, oldest first.
  mutating func members(except current: FileIdentity?) throws(SystemError) -> [Member] {
    var members: [Member] = []
    for directory in try directories() {
      let siblingExists =
        naming.sibling.map { hasEntry(FileNaming.path(of: FileNaming.fileName(of: $0), in: directory)) }
        ?? false
      for name in try names(inDirectory: directory) {
        guard let age = naming.age(ofFileName: name) else { continue }
        let path = FileNaming.path(of: name, in: directory)
        guard let status = try status(path), status.isRegular, FileIdentity(status) != current else {
          continue
        }
        let mark: FileMark?
        switch marks.claim(path, status) {
        case .own(let own): mark = own
        case .foreign: continue
        case .none:
          // A file that another output may have made is left alone.
          guard naming.makes(name), !siblingExists || !name.hasSuffix(naming.suffix) else { continue }
          mark = nil
        }
        members.append(
          Member(
            path: path, identity: FileIdentity(status), mark: mark, byteCount: Int(status.st_size),
            lastChange: status.st_mtim, owner: status.st_uid, age: age))
      }
    }
    return members.sorted(by: Self.isOlder)
  }

  private static func isOlder(_ left: Member, _ right: Member) -> Bool {
    switch (left.mark, right.mark) {
    case (nil, .some): return true
    case (.some, nil): return false
    case (let mark?, let other?) where mark.number != other.number: return mark.number < other.number
    default:
      let (time, otherTime) = (left.lastChange, right.lastChange)
      if time.tv_sec != otherTime.tv_sec { return time.tv_sec < otherTime.tv_sec }
      if time.tv_nsec != otherTime.tv_nsec { return time.tv_nsec < otherTime.tv_nsec }
      return left.age < right.age
    }
  }

  /// Gives the mark of a finished file to the file that a command has made of it, such as a compressed one.
  ///
  /// - Parameter lastChange: when the finished file was changed last; its successor isn't older.
  mutating func adoptSuccessor(of path: String, _ mark: FileMark, lastChange: timespec) {
    guard !hasEntry(path) else { return }
    for suffix in FileNaming.compressedSuffixes {
      let successor = path + suffix
      guard let status = try? system.linkStatus(ofPath: successor), status.isRegular,
        marks.claim(successor, status) == .none, status.st_mtim.tv_sec >= lastChange.tv_sec
      else { continue }
      return marks.set(mark, path: successor, FileIdentity(status))
    }
  }

  // MARK: Directories

  /// The directories that there are for files of this output.
  func directories() throws(SystemError) -> [String] {
    var found = [naming.root]
    for pattern in naming.directoryPatterns ?? [] {
      var next: [String] = []
      for directory in found {
        for name in try names(inDirectory: directory) where pattern.read(name) != nil {
          let path = FileNaming.path(of: name, in: directory)
          // Links are not followed, as they may lead anywhere.
          if let status = try status(path), status.isDirectory { next.append(path) }
        }
      }
      found = next
    }
    return found
  }

  /// Makes the directories of a path whose template has time in them, and those above.
  ///
  /// Only for such a path: otherwise a missing directory is a mistake, or a file system that isn't mounted.
  func makeDirectories(of path: String, _ attributes: FileAttributes) throws(SystemError) {
    for directory in missingDirectories(above: naming.root) {
      try makeDirectory(directory, attributes, isOfTime: false)
    }
    for directory in timeDirectories(of: path) {
      guard let status = try status(directory) else {
        try makeDirectory(directory, attributes, isOfTime: true)
        continue
      }
      // In a public directory, another user may have put a link there to have files made elsewhere.
      if status.isSymbolicLink, trust.isPublic(directoryOf: directory), !trust.isTrusted(owner: status.st_uid)
      {
        throw SystemError(operation: "open", path: directory, errno: .tooManyLinks)
      }
    }
  }

  /// The missing ones of a directory and those above it, from top to bottom.
  private func missingDirectories(above directory: String) -> [String] {
    var missing: [String] = []
    var directory = directory
    while directory != "/", directory != ".", !hasEntry(directory) {
      missing.append(directory)
      directory = FileNaming.directory(of: directory)
    }
    return missing.reversed()
  }

  private func makeDirectory(
    _ path: String, _ attributes: FileAttributes, isOfTime: Bool
  ) throws(SystemError) {
    do {
      try makeNewDirectory(path, attributes, isOfTime: isOfTime)
    } catch .exists {
      // Another process has made it meanwhile.
    } catch {
      throw SystemError(operation: "mkdir", path: path, errno: error)
    }
  }

  private func makeNewDirectory(
    _ path: String, _ attributes: FileAttributes, isOfTime: Bool
  ) throws(Errno) {
    try system.makeNewDirectory(path, mode: attributes.mode == nil ? 0o777 : 0o700)
    let descriptor = try system.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    defer { try? system.close(descriptor) }
    if !attributes.isEmpty {
      var attributes = attributes
      attributes.mode = attributes.directoryMode
      try attributes.apply(to: descriptor, system)
    }
    // Only directories with this mark are removed again when they are empty.
    if isOfTime { try? system.setAttribute(FileMark.name, of: descriptor, to: Self.directoryMark) }
    try? system.synchronize(directory: FileNaming.directory(of: path))
  }

  private static let directoryMark = Array("1 made".utf8)

  /// Removes the directories of a file that are empty now and were made by an output, except the current
  /// file's.
  func removeEmptyDirectories(of path: String) {
    for directory in timeDirectories(of: path).reversed() {
      guard let mark = try? system.attribute(FileMark.name, ofPath: directory), mark == Self.directoryMark,
        (try? system.removeDirectory(directory)) != nil
      else { return }
    }
  }

  /// The directories of a path that the template makes from the time, from top to bottom.
  private func timeDirectories(of path: String) -> [String] {
    var directories: [String] = []
    var directory = FileNaming.directory(of: path)
    for _ in naming.directoryParts {
      directories.append(directory)
      directory = FileNaming.directory(of: directory)
    }
    return directories.reversed()
  }

  // MARK: Looking

  private func hasEntry(_ path: String) -> Bool { (try? system.linkStatus(ofPath: path)) != nil }

  func status(_ path: String) throws(SystemError) -> stat? {
    do {
      return try system.linkStatusIfAny(ofPath: path)
    } catch {
      throw SystemError(operation: "stat", path: path, errno: error)
    }
  }

  func names(inDirectory path: String) throws(SystemError) -> [String] {
    do {
      return try system.names(inDirectory: path)
    } catch {
      throw SystemError(operation: "list", path: path, errno: error)
    }
  }
}
