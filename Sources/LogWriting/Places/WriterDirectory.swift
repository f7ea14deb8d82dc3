import CShims
import Glibc
import Platform

/// An open directory in which a log's files are made and removed.
///
/// Everything goes through its descriptor and nothing follows a symbolic link, so what is done is done in
/// this directory, even if it is renamed or its name is given to another one.
final class WriterDirectory: Sendable {
  /// The name it was opened by, for messages.
  let path: String
  let descriptor: Int32

  private init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Opens a directory by name; it is made if it isn't there.
  static func open(_ path: String) throws(SystemError) -> WriterDirectory {
    if unsafe mkdir(path, 0o755) != 0, errno != EEXIST {
      throw SystemError(operation: "make a directory", path: path)
    }
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
    let descriptor = Int32(retryingOnInterrupt { unsafe Int(Glibc.open(path, flags)) })
    guard descriptor >= 0 else { throw SystemError(operation: "open", path: path) }
    return WriterDirectory(path: path, descriptor: descriptor)
  }

  /// Opens a directory inside this one; nil if there is none of that name, or something else.
  func subdirectory(_ name: String) throws(SystemError) -> WriterDirectory? {
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    let found = Int32(retryingOnInterrupt { unsafe Int(openat(descriptor, name, flags)) })
    if found >= 0 { return WriterDirectory(path: path + "/" + name, descriptor: found) }
    if errno == ENOENT || errno == ENOTDIR || errno == ELOOP { return nil }
    throw SystemError(operation: "open", path: path + "/" + name)
  }

  /// Makes a directory inside this one that wasn't there.
  func makeSubdirectory(_ name: String, permissions: UInt32) throws(SystemError) -> WriterDirectory {
    guard unsafe mkdirat(descriptor, name, permissions) == 0 else {
      throw SystemError(operation: "make a directory", path: path + "/" + name)
    }
    guard let made = try subdirectory(name) else {
      throw SystemError(operation: "open", path: path + "/" + name, code: ENOENT)
    }
    return made
  }

  /// Makes a file that wasn't there, open for reading and writing.
  func create(_ name: String, permissions: UInt32) throws(SystemError) -> Int32 {
    let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let made = Int32(retryingOnInterrupt { unsafe Int(openat(descriptor, name, flags, permissions)) })
    guard made >= 0 else { throw SystemError(operation: "create", path: path + "/" + name) }
    return made
  }

  /// Removes a file; false, with the error number set, if it can't be.
  func remove(_ name: String) -> Bool { unsafe unlinkat(descriptor, name, 0) == 0 }

  /// Gives a file another name; a file that has it is replaced.
  func rename(_ name: String, to other: String) throws(SystemError) {
    guard unsafe renameat(descriptor, name, descriptor, other) == 0 else {
      throw SystemError(operation: "rename to \(other)", path: path + "/" + name)
    }
  }

  /// Writes a new file and puts it in the place of another, so that there is always a whole one.
  func replace(
    _ name: String, with bytes: [UInt8], temporary: String, permissions: UInt32
  ) throws(SystemError) {
    let file = try create(temporary, permissions: permissions)
    defer { close(file) }
    do throws(SystemError) {
      try Self.writeAll(bytes, to: file, path: path + "/" + temporary)
      try rename(temporary, to: name)
    } catch {
      _ = remove(temporary)
      throw error
    }
  }

  /// Writes all of `bytes`, in one call if the system takes them all.
  static func writeAll(_ bytes: [UInt8], to file: Int32, path: String) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
        return retryingOnInterrupt { unsafe write(file, rest.baseAddress, rest.count) }
      }
      guard count >= 0 else { throw SystemError(operation: "write", path: path) }
      done += count
    }
  }

  /// The names in it, without `.` and `..`.
  func entries() throws(SystemError) -> [String] {
    // The stream takes over the file descriptor that it is given, so it gets one of its own.
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
    let copy = Int32(retryingOnInterrupt { unsafe Int(openat(descriptor, ".", flags)) })
    guard copy >= 0 else { throw SystemError(operation: "read", path: path) }
    guard let stream = unsafe fdopendir(copy) else {
      let error = SystemError(operation: "read", path: path)
      close(copy)
      throw error
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }
}
