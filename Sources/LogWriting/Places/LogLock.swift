import CShims
import Glibc
import Platform

/// The lock on `_.pid`, which every writer of a log in a directory has, servers included.
///
/// The lock belongs to the file descriptor, and ends with the process however the process ends.
final class LogLock: Sendable {
  private let path: String
  private let file: Guarded<Int32?>

  private static let name = "_.pid"

  /// Takes the lock, or throws an error that names the process that has it.
  init(in directory: WriterDirectory) throws(LogWriterError) {
    path = directory.path + "/" + Self.name
    file = Guarded(try Self.acquire(in: directory, path))
  }

  deinit { release() }

  /// Gives the lock up; the file stays, as servers leave it.
  func release() {
    file.withLock { file in
      if let descriptor = file {
        shim_unlock_log(descriptor)
        close(descriptor)
      }
      file = nil
    }
  }

  /// Writes this process's number into the file.
  func sign() throws(SystemError) {
    try file.withLock { (file: inout Int32?) throws(SystemError) in
      guard let file else { return }
      guard ftruncate(file, 0) == 0 else { throw SystemError(operation: "truncate", path: path) }
      try WriterDirectory.writeAll(Array("\(getpid())\n".utf8), to: file, path: path)
    }
  }

  private static func acquire(in directory: WriterDirectory, _ path: String) throws(LogWriterError) -> Int32 {
    // The file may be removed between its opening and its locking; then another one is to be locked.
    while true {
      let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
      let file = Int32(retryingOnInterrupt { unsafe Int(openat(directory.descriptor, name, flags, 0o644)) })
      if file < 0 {
        // A link, a pipe or another user's file can't be this log's lock.
        let cause = SystemError(operation: "open", path: path)
        guard [ELOOP, EACCES, ENXIO, EPERM].contains(cause.code), directory.remove(name) else {
          throw .system(cause)
        }
        continue
      }
      guard shim_try_lock_log(file) == 0 else {
        let cause = SystemError(operation: "lock", path: path)
        let owner = owner(in: file)
        close(file)
        throw cause.code == EWOULDBLOCK ? .inUse(path: directory.path, pid: owner) : .system(cause)
      }
      if isStillThere(file, in: directory) { return file }
      close(file)
    }
  }

  private static func owner(in file: Int32) -> Int32? {
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = retryingOnInterrupt { unsafe pread(file, &bytes, bytes.count, 0) }
    return count > 0 ? Int32(String(decoding: bytes[..<count].prefix { $0 > 0x20 }, as: UTF8.self)) : nil
  }

  private static func isStillThere(_ file: Int32, in directory: WriterDirectory) -> Bool {
    var opened = stat()
    var named = stat()
    return unsafe fstat(file, &opened) == 0
      && fstatat(directory.descriptor, name, &named, AT_SYMLINK_NOFOLLOW) == 0
      && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
  }
}
