import Glibc
import SharedMemory

/// A file that holds the process's number, locked for as long as the process lives.
struct PIDFile: ~Copyable {
  private let path: String
  private let descriptor: Int32

  /// Creates and locks the file.
  ///
  /// - Throws: `SystemError` if it can't be created, or another process holds it.
  init(path: String) throws(SystemError) {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw SystemError(operation: "create", path: path) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let error = SystemError(operation: "lock", path: path)
      close(descriptor)
      throw error
    }
    self.path = path
    self.descriptor = descriptor
  }

  deinit {
    unlink(path)
    close(descriptor)
  }

  /// Writes the number of the process that goes on.
  func write() throws(SystemError) {
    let digits = Array(String(getpid()).utf8)
    guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, digits, digits.count, 0) == digits.count
    else { throw SystemError(operation: "write", path: path) }
  }
}
