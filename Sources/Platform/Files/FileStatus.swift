package import Glibc

/// The kind of a file.
extension stat {
  /// Whether this is a regular file.
  package var isRegular: Bool { st_mode & S_IFMT == S_IFREG }
  /// Whether this is a directory.
  package var isDirectory: Bool { st_mode & S_IFMT == S_IFDIR }
  /// Whether this is a symbolic link.
  package var isSymbolicLink: Bool { st_mode & S_IFMT == S_IFLNK }
  /// Whether this is a pipe, with a name or without.
  package var isPipe: Bool { st_mode & S_IFMT == S_IFIFO }
  /// Whether this is a socket.
  package var isSocket: Bool { st_mode & S_IFMT == S_IFSOCK }
}
