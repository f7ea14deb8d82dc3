package import Glibc

/// Distinguishes a file from another one of the same name, and a state of it from a later one.
///
/// A log's files are re-created under their old names when a server restarts; only the device and inode
/// numbers tell that.
public struct FileState: Equatable, Sendable {
  /// The file's identity.
  public let identity: FileIdentity
  /// Type and permission bits.
  public let mode: UInt32
  /// The number of names the file still has; 0 after it was removed.
  public let linkCount: UInt64
  /// Size in bytes.
  public let byteCount: Int
  /// Time of the last change of the contents, in nanoseconds.
  public let modifiedNanoseconds: Int64
  /// The owner's and the group's number.
  public let owner: UInt32, group: UInt32

  package init(_ status: stat) {
    identity = FileIdentity(status)
    mode = UInt32(status.st_mode)
    linkCount = UInt64(status.st_nlink)
    byteCount = Int(status.st_size)
    modifiedNanoseconds =
      Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
    owner = UInt32(status.st_uid)
    group = UInt32(status.st_gid)
  }

  /// The state of the file with this name, following symbolic links.
  public static func of(path: String) -> Result<FileState, SystemError> {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      return .failure(SystemError(operation: "stat", path: path))
    }
    return .success(FileState(status))
  }

  /// Whether this is a directory.
  public var isDirectory: Bool { mode & UInt32(S_IFMT) == UInt32(S_IFDIR) }

  /// Whether this is a regular file.
  public var isRegularFile: Bool { mode & UInt32(S_IFMT) == UInt32(S_IFREG) }

  /// Whether this is a pipe, with a name or without.
  public var isPipe: Bool { mode & UInt32(S_IFMT) == UInt32(S_IFIFO) }

  /// The permission bits alone.
  public var permissions: UInt32 { mode & 0o7777 }
}
