import Glibc
import Platform
import Spool

/// Where the name of an output leads.
enum FilePlace: Equatable {
  /// A file, or nothing yet, at this path, which is no link.
  case file(String)
  /// A named pipe.
  case pipe(String)
  /// A device, or what lies below `/dev` and `/proc`: it is written to as it is, and never renamed.
  case stream(String)
  /// A descriptor that this process has inherited.
  case descriptor(Int32)

  /// As many links as the kernel follows.
  private static let linksMax = 40

  /// Follows links to where the file is, which is where it is rotated.
  ///
  /// A link in a world-writable directory is followed only if root or the user of this process has made it,
  /// as any user could have put it there; the kernel may be set up to do the same.
  /// - Throws: `SystemError` for a link or a pipe that isn't trusted, for links in a circle, or if a name
  ///   below `/dev` or `/proc` doesn't exist.
  static func find(_ path: String, _ system: SystemCalls) throws(SystemError) -> FilePlace {
    let trust = FileTrust(system: system)
    var place = path
    for _ in 0..<linksMax {
      let name = FileNaming.fileName(of: place)
      // Without its directory, the file doesn't exist either; opening it reports that.
      guard let directory = system.realPath(FileNaming.directory(of: place)) else { return .file(place) }
      if directory == "/proc/\(getpid())/fd", let number = Int32(name), number >= 0 {
        return .descriptor(number)
      }
      let isSystem = isSystemDirectory(directory)
      guard let status = try lookUp(FileNaming.path(of: name, in: directory), path, system) else {
        guard isSystem else { return .file(place) }
        throw SystemError(
          operation: "open", path: path, problem: "no such device; files aren't made in \(directory)")
      }
      if status.isSymbolicLink, isBelow("/proc", directory) {
        // The link doesn't lead to the path that it names, but to what a process has open.
        return .stream(place)
      } else if status.isSymbolicLink {
        if !isSystem, trust.isPublic(directoryOf: place), !trust.isTrusted(owner: status.st_uid) {
          throw SystemError(
            operation: "open", path: path,
            problem:
              "\(place) is a symbolic link of user \(status.st_uid) in a directory that everybody can write")
        }
        guard let target = system.target(ofLink: FileNaming.path(of: name, in: directory)) else { continue }
        place = target.hasPrefix("/") ? target : FileNaming.path(of: target, in: directory)
      } else if status.isPipe {
        if trust.isPublic(directoryOf: place), !trust.isTrusted(owner: status.st_uid) {
          throw SystemError(
            operation: "open", path: path,
            problem: "a named pipe of user \(status.st_uid) in a directory that everybody can write")
        }
        return .pipe(place)
      } else if status.st_mode & S_IFMT == S_IFDIR || (status.isRegular && !isSystem) {
        return .file(place)
      } else {
        return .stream(place)
      }
    }
    throw SystemError(operation: "open", path: path, errno: .tooManyLinks)
  }

  private static func lookUp(
    _ place: String, _ path: String, _ system: SystemCalls
  ) throws(SystemError) -> stat? {
    do {
      return try system.linkStatusIfAny(ofPath: place)
    } catch {
      throw SystemError(operation: "open", path: path, errno: error)
    }
  }

  /// Whether a directory, given without links, belongs to the system: `/dev` and `/proc`, but not `/dev/shm`,
  /// the memory file system for all users.
  static func isSystemDirectory(_ directory: String) -> Bool {
    isBelow("/proc", directory) || (isBelow("/dev", directory) && !isBelow("/dev/shm", directory))
  }

  private static func isBelow(_ place: String, _ directory: String) -> Bool {
    directory == place || directory.hasPrefix(place + "/")
  }
}
