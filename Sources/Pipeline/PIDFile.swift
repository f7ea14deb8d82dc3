import Glibc
public import Platform

/// A file that holds the process's number, locked for as long as the process lives.
///
/// It is made under another name and gets its own name when the number is in it. So it is never seen empty,
/// and nothing that has the name already, such as a link that was planted there, is ever written to. Only a
/// file that looks like that of a process that has ended is replaced.
final class PIDFile: Sendable {
  private let path: String
  private let descriptor: Int32

  /// Creates and locks the file, with the number of this process.
  ///
  /// - Throws: `PIDFileError` if it can't be created, another process holds it, or something else has its name.
  init(path: String) throws(PIDFileError) {
    descriptor = try Self.create(path)
    self.path = path
  }

  deinit {
    // By now, the name may belong to another process's file.
    if let status = Self.status(path), Self.isSame(status, descriptor) { unsafe unlink(path) }
    close(descriptor)
  }

  private static func create(_ path: String) throws(PIDFileError) -> Int32 {
    let temporary = "\(path).\(getpid()).new"
    // Left by a killed process with the same number.
    _ = unsafe unlink(temporary)
    let descriptor = unsafe open(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .system(SystemError(operation: "create", path: path)) }
    do throws(PIDFileError) {
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        throw .system(SystemError(operation: "lock", path: path))
      }
      try write(descriptor, path)
      try publish(temporary, path)
      return descriptor
    } catch {
      _ = unsafe unlink(temporary)
      close(descriptor)
      throw error
    }
  }

  private static func write(_ descriptor: Int32, _ path: String) throws(PIDFileError) {
    let digits = Array(String(getpid()).utf8)
    guard unsafe Glibc.write(descriptor, digits, digits.count) == digits.count else {
      throw .system(SystemError(operation: "write", path: path))
    }
  }

  /// Gives the file its name, in place of a file that a former process has left.
  private static func publish(_ temporary: String, _ path: String) throws(PIDFileError) {
    while unsafe link(temporary, path) != 0 {
      guard errno == EEXIST else { throw .system(SystemError(operation: "create", path: path)) }
      guard let found = try former(path) else { continue }
      // While the former file is locked, no other process takes it for left behind.
      defer { close(found) }
      guard unsafe rename(temporary, path) == 0 else {
        throw .system(SystemError(operation: "create", path: path))
      }
      return
    }
    _ = unsafe unlink(temporary)
  }

  /// Opens and locks the file with that name, if a process that has ended has left it; nil if it is gone.
  private static func former(_ path: String) throws(PIDFileError) -> Int32? {
    let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    if descriptor < 0 {
      if errno == ENOENT { return nil }
      if errno == ELOOP {
        throw .refused(path: path, reason: "it is a symbolic link, which is never followed here")
      }
      throw .system(SystemError(operation: "open", path: path))
    }
    do throws(PIDFileError) {
      var status = stat()
      guard unsafe fstat(descriptor, &status) == 0 else {
        throw .system(SystemError(operation: "stat", path: path))
      }
      guard isProcessNumber(descriptor, status) else {
        throw .refused(path: path, reason: "it exists, and isn't the file of a process number")
      }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        throw .system(SystemError(operation: "lock", path: path))
      }
      // Between the opening and the lock another process may have replaced it.
      guard let named = self.status(path), isSame(named, descriptor) else {
        close(descriptor)
        return nil
      }
      return descriptor
    } catch {
      close(descriptor)
      throw error
    }
  }

  /// Whether a file is regular and has at most a number in it.
  private static func isProcessNumber(_ descriptor: Int32, _ status: stat) -> Bool {
    guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= 32 else { return false }
    var bytes = [UInt8](repeating: 0, count: 33)
    let count = unsafe pread(descriptor, &bytes, bytes.count, 0)
    return count >= 0
      && bytes.prefix(count).allSatisfy { (0x30...0x39).contains($0) || [0x0a, 0x20].contains($0) }
  }

  private static func status(_ path: String) -> stat? {
    var status = stat()
    return unsafe lstat(path, &status) == 0 ? status : nil
  }

  private static func isSame(_ status: stat, _ descriptor: Int32) -> Bool {
    var open = stat()
    return unsafe fstat(descriptor, &open) == 0 && open.st_ino == status.st_ino
      && open.st_dev == status.st_dev
  }
}

/// Why the file for the process number can't be created or locked.
public enum PIDFileError: Error, Sendable, Equatable, CustomStringConvertible {
  case system(SystemError)
  case refused(path: String, reason: String)

  /// One line.
  public var description: String {
    switch self {
    case .system(let error): "\(error.path): \(error.reason)\(error.explanation)"
    case .refused(let path, let reason): "\(path): \(reason)"
    }
  }
}
