import CShims
import Glibc

/// Why there is no status socket; the description is one line.
package enum SocketFileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Another process listens there.
  case inUse(String)
  /// A file that isn't ours to replace has the name.
  case foreign(String, String)
  /// A socket's address has no room for the path.
  case tooLong(String)
  /// The system refuses.
  case system(SystemError)

  /// One line about the error.
  package var description: String {
    switch self {
    case .inUse(let path): "\(path): another process answers there"
    case .foreign(let path, let what): "\(path): is \(what), which isn't replaced"
    case .tooLong(let path):
      "\(path): is too long: a socket's path has at most \(shim_socket_path_max()) bytes"
    case .system(let error): error.description
    }
  }
}

/// A listening Unix-domain socket, with the file by which clients find it.
struct SocketFile: ~Copyable {
  let descriptor: Int32
  private let path: String
  private let device: dev_t, inode: ino_t

  private init(_ descriptor: Int32, _ path: String, _ status: stat) {
    self.descriptor = descriptor
    self.path = path
    (device, inode) = (status.st_dev, status.st_ino)
  }

  /// Makes the file, replacing one that an ended process has left, and listens.
  ///
  /// Users that `mode` doesn't allow can't connect at any moment.
  static func make(
    path: String, mode: mode_t, owner: uid_t?, group: gid_t?, backlog: Int32
  ) throws(SocketFileError) -> SocketFile {
    guard !path.isEmpty, path.utf8.count <= shim_socket_path_max() else { throw .tooLong(path) }
    // Only one process at a time checks and replaces an existing file: a socket that has a name, but doesn't
    // listen yet, looks as if it had been left behind.
    let lock = try lockDirectory(of: path)
    defer { close(lock) }
    let descriptor = shim_stream_socket()
    guard descriptor >= 0 else { throw failure("socket", path) }
    let status: stat
    do throws(SocketFileError) {
      status = try bind(descriptor, path, mode)
    } catch {
      close(descriptor)
      throw error
    }
    // From here on the file is removed again if something fails.
    let file = SocketFile(descriptor, path, status)
    // Only now are permissions restored that the umask has removed, and the owner changed.
    guard
      unsafe shim_settle_socket_file(
        path, UInt64(status.st_dev), UInt64(status.st_ino), UInt32(mode), owner ?? .max, group ?? .max) == 0
    else { throw failure("set the permissions", path) }
    guard listen(descriptor, backlog) == 0 else { throw failure("listen", path) }
    return file
  }

  deinit {
    // The name may belong to another process's file by now.
    var status = stat()
    if unsafe lstat(path, &status) == 0, status.st_dev == device, status.st_ino == inode {
      unsafe unlink(path)
    }
    close(descriptor)
  }

  private static func failure(_ operation: String, _ path: String) -> SocketFileError {
    .system(SystemError(operation: operation, path: path))
  }

  private static let lockTries = 100

  private static func lockDirectory(of path: String) throws(SocketFileError) -> Int32 {
    let slash = path.lastIndex(of: "/")
    let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let lock = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard lock >= 0 else { throw failure("create", path) }
    for _ in 0..<lockTries {
      if flock(lock, LOCK_EX | LOCK_NB) == 0 { return lock }
      guard errno == EWOULDBLOCK || errno == EINTR else { break }
      // Another start of this program holds the lock for an instant; a longer lock of another program isn't
      // waited for.
      usleep(10_000)
    }
    // No locks on this file system, or another program's lock: two simultaneous starts may then disturb each
    // other.
    return lock
  }

  private static func bind(
    _ descriptor: Int32, _ path: String, _ mode: mode_t
  ) throws(SocketFileError) -> stat {
    if unsafe shim_bind_local(descriptor, path, UInt32(mode)) != 0 {
      guard errno == EADDRINUSE else { throw failure("create", path) }
      try removeRemains(path)
      guard unsafe shim_bind_local(descriptor, path, UInt32(mode)) == 0 else { throw failure("create", path) }
    }
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { throw failure("look at", path) }
    return status
  }

  /// Removes the file of a socket on which no process listens any more.
  private static func removeRemains(_ path: String) throws(SocketFileError) {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else {
      // Another process has removed it meanwhile.
      if errno == ENOENT { return }
      throw failure("look at", path)
    }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw .foreign(path, "a " + FileKind.name(ofMode: status.st_mode))
    }
    guard status.st_uid == geteuid() || status.st_uid == 0 || geteuid() == 0 else {
      throw .foreign(path, "a socket of user \(status.st_uid)")
    }
    let probe = shim_stream_socket()
    guard probe >= 0 else { throw failure("socket", path) }
    defer { close(probe) }
    let bytes = Array(path.utf8)
    guard unsafe shim_connect_local(probe, bytes, bytes.count) != 0 else { throw .inUse(path) }
    switch errno {
    case ECONNREFUSED: break
    // A process listens there, but its queue is full.
    case EAGAIN: throw .inUse(path)
    default: throw failure("connect", path)
    }
    guard unsafe unlink(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
  }
}
