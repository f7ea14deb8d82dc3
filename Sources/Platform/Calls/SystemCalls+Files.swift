import CShims
package import Glibc

/// What only outputs that manage their files need.
extension SystemCalls {
  /// The status of what bears this very name, be it a symbolic link.
  package func linkStatus(ofPath path: String) throws(Errno) -> stat {
    var status = stat()
    _ = try perform(.lstat) { _ in unsafe lstat(path, &status) }
    return status
  }

  /// What bears this very name; nil if nothing does.
  package func linkStatusIfAny(ofPath path: String) throws(Errno) -> stat? {
    do {
      return try linkStatus(ofPath: path)
    } catch .noEntry {
      return nil
    }
  }

  /// Makes a file as old again as it was.
  package func restoreTimes(_ descriptor: Int32, _ status: stat) throws(Errno) {
    _ = try perform(.futimens) { _ in unsafe futimens(descriptor, [status.st_atim, status.st_mtim]) }
  }

  /// Makes a symbolic link; `EEXIST` if something has that name.
  package func makeLink(_ path: String, to target: String) throws(Errno) {
    _ = try perform(.symlink) { _ in unsafe symlink(target, path) }
  }

  /// Renames a file to a name that may be taken, and then is its own at once.
  package func rename(_ old: String, replacing new: String) throws(Errno) {
    _ = try perform(.rename) { _ in unsafe Glibc.rename(old, new) }
  }

  /// Renames to a name that nothing has; `EEXIST` if something has it.
  package func rename(_ old: String, toNew new: String) throws(Errno) {
    _ = try perform(.rename) { _ -> Int32 in
      let result = unsafe shim_rename_to_new(old, new)
      guard result != 0, errno == EINVAL || errno == ENOSYS else { return result }
      // The file system can't do both at once: looked at first, as renaming would replace it.
      var status = stat()
      guard unsafe lstat(new, &status) != 0 else {
        errno = EEXIST
        return -1
      }
      return unsafe Glibc.rename(old, new)
    }
  }

  /// What a symbolic link says; nil if there is none.
  package func target(ofLink path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = unsafe readlink(path, &buffer, buffer.count - 1)
    return count >= 0 ? String(nulTerminated: buffer) : nil
  }

  /// A path without links, `.` and `..`; nil if it leads to nothing.
  package func realPath(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }

  /// Makes a directory that isn't there.
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

  /// Gives such a file a name that nothing has; `EEXIST` if something has it.
  package func giveName(_ path: String, to descriptor: Int32) throws(Errno) {
    _ = try perform(.link) { _ in
      unsafe linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, path, AT_SYMLINK_FOLLOW)
    }
  }

  /// Another descriptor for what one has open.
  package func duplicate(_ descriptor: Int32) throws(Errno) -> Int32 {
    try perform(.open) { _ in fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) }
  }

  package func setMode(_ descriptor: Int32, _ mode: mode_t) throws(Errno) {
    _ = try perform(.fchmod) { _ in fchmod(descriptor, mode) }
  }

  /// Sets a file's owner and group; nil leaves what it has.
  package func setOwner(_ descriptor: Int32, _ owner: uid_t?, _ group: gid_t?) throws(Errno) {
    _ = try perform(.fchown) { _ in fchown(descriptor, owner ?? uid_t.max, group ?? gid_t.max) }
  }

  /// An attribute of what bears this very name; nil if it has none of that name.
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
