import Glibc
import Platform

/// What only outputs that manage their files need.
extension SystemCalls {
  /// The status of what bears this very name, be it a symbolic link.
  func linkStatus(ofPath path: String) throws(Errno) -> stat {
    var status = stat()
    _ = try perform(.lstat) { _ in lstat(path, &status) }
    return status
  }

  /// Makes a file as old again as it was.
  func restoreTimes(_ descriptor: Int32, _ status: stat) throws(Errno) {
    _ = try perform(.futimens) { _ in futimens(descriptor, [status.st_atim, status.st_mtim]) }
  }

  /// Makes a symbolic link; `EEXIST` if something has that name.
  func makeLink(_ path: String, to target: String) throws(Errno) {
    _ = try perform(.symlink) { _ in symlink(target, path) }
  }

  /// Renames a file to a name that may be taken, and then is its own at once.
  func rename(_ old: String, replacing new: String) throws(Errno) {
    _ = try perform(.rename) { _ in Glibc.rename(old, new) }
  }

  /// What a symbolic link says; nil if there is none.
  func target(ofLink path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlink(path, &buffer, buffer.count - 1)
    return count >= 0 ? String(nulTerminated: buffer) : nil
  }
}
