import Glibc

/// Explains why the system refuses a path: which part of it is the reason, its owner, and the user of this
/// process.
public enum RefusedPath {
  /// Words to append to the system's own, beginning with "; "; empty if the system's words suffice.
  ///
  /// - Parameters:
  ///   - path: the path that the call was given.
  ///   - code: the call's `errno`.
  public static func explanation(of path: String, code: Int32) -> String {
    switch code {
    case EACCES, EPERM, ENOENT, ENOTDIR, ELOOP, ENXIO: break
    default: return ""
    }
    guard !path.isEmpty else { return "" }
    var walk = PathWalk(path)
    let end = walk.run()
    switch (code, end) {
    case (EACCES, .unsearchable(let directory)), (EPERM, .unsearchable(let directory)):
      return "; " + ownership(of: directory)
    case (EACCES, .found(let path)), (EPERM, .found(let path)):
      // In a directory that can't be written, no name can be created or replaced.
      return "; " + ownership(of: path)
    case (EACCES, .missing(let name)), (EPERM, .missing(let name)):
      return "; " + ownership(of: PathWalk.parent(of: name))
    case (ENOENT, .missing(let name)) where name != PathWalk.normalized(path):
      return "; there is no \(name)"
    case (ENOTDIR, .notDirectory(let name)):
      return "; \(name) is no directory"
    case (ENXIO, .found(let path)):
      var status = stat()
      guard unsafe stat(path, &status) == 0 else { return "" }
      return "; \(path) is a \(FileKind.name(ofMode: status.st_mode))"
    case (ELOOP, .loop(let link)):
      return "; the symbolic link \(link) leads in a circle, or through too many others"
    default: return ""
    }
  }

  /// The owner of a file and the user of this process: `/run/x belongs to root:adm with mode 0750, and
  /// nobody:nogroup is asking`.
  package static func ownership(of path: String) -> String {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return "\(user(geteuid())):\(group(getegid())) is asking" }
    let digits = String(status.st_mode & 0o7777, radix: 8)
    let mode = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    return "\(path) belongs to \(user(status.st_uid)):\(group(status.st_gid)) with mode \(mode), "
      + "and \(user(geteuid())):\(group(getegid())) is asking"
  }

  private static func user(_ number: uid_t) -> String {
    guard let entry = unsafe getpwuid(number) else { return "\(number)" }
    return unsafe String(cString: entry.pointee.pw_name)
  }

  private static func group(_ number: gid_t) -> String {
    guard let entry = unsafe getgrgid(number) else { return "\(number)" }
    return unsafe String(cString: entry.pointee.gr_name)
  }
}

/// Follows a path as the system does, one name after the other and through symbolic links, to where it stops.
private struct PathWalk {
  enum End {
    /// The path leads to a file or directory.
    case found(String)
    /// There is no file of this name.
    case missing(String)
    /// This directory may not be searched.
    case unsearchable(String)
    /// This isn't a directory, but a name follows it in the path.
    case notDirectory(String)
    /// This link leads in a circle, or through too many others.
    case loop(String)
  }

  private static let linkCountMax = 40

  /// The place reached so far, and the names that are left, the next one last.
  private var place: String
  private var names: [Substring]
  private var linkCount = 0

  init(_ path: String) {
    place = path.hasPrefix("/") ? "/" : "."
    names = path.split(separator: "/").reversed()
  }

  mutating func run() -> End {
    while let name = names.popLast() {
      var status = stat()
      // The place exists, as the last step has found.
      guard unsafe stat(place, &status) == 0 else { return .missing(place) }
      guard status.st_mode & S_IFMT == S_IFDIR else { return .notDirectory(place) }
      guard unsafe faccessat(AT_FDCWD, place, X_OK, AT_EACCESS) == 0 else { return .unsearchable(place) }
      let next = Self.join(place, name)
      guard unsafe lstat(next, &status) == 0 else { return .missing(next) }
      guard status.st_mode & S_IFMT == S_IFLNK else {
        place = next
        continue
      }
      linkCount += 1
      guard linkCount <= Self.linkCountMax, let target = Self.target(of: next) else { return .loop(next) }
      if target.hasPrefix("/") { place = "/" }
      names += target.split(separator: "/").reversed()
    }
    return .found(place)
  }

  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The path in the form that the walk uses.
  static func normalized(_ path: String) -> String {
    path.split(separator: "/").reduce(path.hasPrefix("/") ? "/" : ".") { join($0, $1) }
  }

  private static func join(_ directory: String, _ name: Substring) -> String {
    switch directory {
    case "/": "/\(name)"
    case ".": String(name)
    default: "\(directory)/\(name)"
    }
  }

  private static func target(of link: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe link.withCString { unsafe readlink($0, &buffer, buffer.count) }
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
  }
}
