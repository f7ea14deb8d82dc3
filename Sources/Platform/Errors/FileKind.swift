import Glibc

/// The kinds of files in the file system, in words for messages.
public enum FileKind {
  /// The kind that goes with the mode of a `stat`.
  public static func name(ofMode mode: UInt32) -> String {
    switch mode & UInt32(S_IFMT) {
    case UInt32(S_IFREG): "file"
    case UInt32(S_IFDIR): "directory"
    case UInt32(S_IFLNK): "symbolic link"
    case UInt32(S_IFIFO): "named pipe"
    case UInt32(S_IFSOCK): "socket"
    case UInt32(S_IFCHR), UInt32(S_IFBLK): "device"
    default: "thing of no known kind"
    }
  }
}
