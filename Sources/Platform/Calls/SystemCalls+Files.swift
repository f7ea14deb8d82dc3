import CShims
package import Glibc

/// System calls that only outputs with files of their own need.
extension SystemCalls {
  /// The status of the file with this name, without following a symbolic link.
  package func linkStatus(ofPath path: String) throws(Errno) -> stat {
    var status = stat()
    _ = try perform(.lstat) { _ in unsafe lstat(path, &status) }
    return status
  }

  /// The status of the file with this name; nil if there is none.
  package func linkStatusIfAny(ofPath path: String) throws(Errno) -> stat? {
    do {
      return try linkStatus(ofPath: path)
    } catch .noEntry {
      return nil
    }
  }

  /// Gives a file the times that it had before.
  package func restoreTimes(_ descriptor: Int32, _ status: stat) throws(Errno) {
    _ = try perform(.futimens) { _ in unsafe futimens(descriptor, [status.st_atim, status.st_mtim]) }
  }

  /// Makes a symbolic link; `EEXIST` if something has that name.
  package func makeLink(_ path: String, to target: String) throws(Errno) {
    _ = try perform(.symlink) { _ in unsafe symlink(target, path) }
  }

  /// Renames a file; a file that has the new name is replaced at once.
  package func rename(_ old: String, replacing new: String) throws(Errno) {
    _ = try perform(.rename) { _ in unsafe Glibc.rename(old, new) }
  }

  /// Renames a file to a name that is free; `EEXIST` if it isn't.
  package func rename(_ old: String, toNew new: String) throws(Errno) {
    _ = try perform(.rename) { _ -> Int32 in
      let result = unsafe shim_rename_to_new(old, new)
      guard result != 0, errno == EINVAL || errno == ENOSYS else { return result }
      // The file system can't do both at once: checked first, as renaming would replace an existing file.
      var status = stat()
      guard unsafe lstat(new, &status) != 0 else {
        errno = EEXIST
        return -1
      }
      return unsafe Glibc.rename(old, new)
    }
  }

  /// The path that a symbolic link names; nil if there is no such link.
  package func target(ofLink path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = unsafe readlink(path, &buffer, buffer.count - 1)
    return count >= 0 ? String(nulTerminated: buffer) : nil
  }

  /// A path without links, `.` and `..`; nil if there is no such file.
  package func realPath(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }

  /// Makes a directory that doesn't exist yet.
  package func makeNewDirectory(_ path: String, mode: mode_t) throws(Errno) {
    _ = try perform(.mkdir) { _ in unsafe mkdir(path, mode) }
  }

  /// Removes an empty directory.
  package func removeDirectory(_ path: String) throws(Errno) {
    _ = try perform(.rmdir) { _ in unsafe rmdir(path) }
  }

  /// Whether a file that was opened without a name can be given one.
  package static let canGiveNames = unsafe access("/proc/self/fd", X_OK) == 0

  /// Opens a new file of a directory that has no name yet, and is gone if it is closed without one.
  package func openUnnamed(_ directory: String, _ flags: Int32, mode: mode_t) throws(Errno) -> Int32 {
    try open(directory, flags | Self.unnamed, mode: mode)
  }

  /// `O_TMPFILE`, which isn't in Swift's module of the C library.
  private static let unnamed: Int32 = 0o20_000_000 | O_DIRECTORY

  /// Gives a file without a name a name that is free; `EEXIST` if it isn't.
  package func giveName(_ path: String, to descriptor: Int32) throws(Errno) {
    _ = try perform(.link) { _ in
      unsafe linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, path, AT_SYMLINK_FOLLOW)
    }
  }

  /// Makes another descriptor for the same open file.
  package func duplicate(_ descriptor: Int32) throws(Errno) -> Int32 {
    try perform(.open) { _ in fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) }
  }

  package func setMode(_ descriptor: Int32, _ mode: mode_t) throws(Errno) {
    _ = try perform(.fchmod) { _ in fchmod(descriptor, mode) }
  }

  /// Sets a file's owner and group; nil leaves the present one.
  package func setOwner(_ descriptor: Int32, _ owner: uid_t?, _ group: gid_t?) throws(Errno) {
    _ = try perform(.fchown) { _ in fchown(descriptor, owner ?? uid_t.max, group ?? gid_t.max) }
  }

  /// An attribute of the file with this name; nil if it has no such attribute.
  package func attribute(_ name: String, ofPath path: String) throws(Errno) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 256)
    do {
      let count = try perform(.getxattr) { _ in unsafe shim_attribute(path, name, &bytes, bytes.count) }
      return Array(bytes.prefix(Int(count)))
    } catch .noData {
      return nil
    }
  }

  package func setAttribute(_ name: String, of descriptor: Int32, to bytes: [UInt8]) throws(Errno) {
    _ = try perform(.setxattr) { _ in unsafe shim_set_attribute(descriptor, name, bytes, bytes.count) }
  }
}
