import CShims
import Glibc
public import Platform

/// An open file or directory that can be looked at and never written.
///
/// Owns its descriptor; there is no way through this type to open anything but `O_RDONLY`.
public struct ReadOnlyFile: ~Copyable, Sendable {
  /// The name the file was opened by, for messages.
  public let path: String
  /// The descriptor, valid as long as this value lives.
  public let descriptor: Int32
  private let closes: Bool

  /// Opens a file by name.
  ///
  /// - Throws: `SystemError` if it can't be opened.
  public init(path: String) throws(SystemError) {
    let descriptor = Int32(retryingOnInterrupt { unsafe Int(open(path, O_RDONLY | O_CLOEXEC)) })
    guard descriptor >= 0 else { throw SystemError(operation: "open", path: path) }
    self.path = path
    self.descriptor = descriptor
    closes = true
  }

  /// Opens a directory by name, and nothing else.
  ///
  /// - Throws: `SystemError` if it can't be opened or is no directory.
  public init(directory path: String) throws(SystemError) {
    let flags = O_RDONLY | O_CLOEXEC | O_DIRECTORY
    let descriptor = Int32(retryingOnInterrupt { unsafe Int(open(path, flags)) })
    guard descriptor >= 0 else { throw SystemError(operation: "open", path: path) }
    self.path = path
    self.descriptor = descriptor
    closes = true
  }

  /// Opens a regular file inside an open directory, perhaps in another one there.
  ///
  /// The directory may be another user's: no symbolic link is followed, which could lead anywhere, and
  /// anything but a regular file is refused without being opened, which could wait for ever.
  ///
  /// - Throws: `SystemError` if it can't be opened or is refused.
  public init(regular name: String, in directory: borrowing ReadOnlyFile) throws(SystemError) {
    path = directory.path + "/" + name
    descriptor = try Self.reach(name.split(separator: "/")[...], in: directory.descriptor, directory.path)
    closes = true
  }

  private static func reach(
    _ names: ArraySlice<Substring>, in parent: Int32, _ parentPath: String
  ) throws(SystemError) -> Int32 {
    let name = names.first.map(String.init) ?? "."
    let path = parentPath + "/" + name
    var status = stat()
    guard unsafe fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      throw SystemError(operation: "open", path: path)
    }
    let isLast = names.count <= 1
    try check(status, isDirectory: !isLast, path)
    let flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
    let opened = Int32(
      retryingOnInterrupt {
        unsafe Int(isLast ? openat(parent, name, flags) : shim_reach_directory(parent, name))
      })
    guard opened >= 0 else { throw SystemError(operation: "open", path: path) }
    guard isLast else {
      defer { close(opened) }
      return try reach(names.dropFirst(), in: opened, path)
    }
    do throws(SystemError) {
      // It may have been replaced since it was looked at.
      guard unsafe fstat(opened, &status) == 0 else { throw SystemError(operation: "fstat", path: path) }
      try check(status, isDirectory: false, path)
    } catch {
      close(opened)
      throw error
    }
    return opened
  }

  private static func check(_ status: stat, isDirectory: Bool, _ path: String) throws(SystemError) {
    let wanted = isDirectory ? S_IFDIR : S_IFREG
    if status.st_mode & S_IFMT == wanted { return }
    let (found, expected) = (FileKind.name(ofMode: status.st_mode), FileKind.name(ofMode: wanted))
    throw SystemError(operation: "open", path: path, problem: "it is a \(found), not a \(expected)")
  }

  /// Duplicates an open file's descriptor.
  ///
  /// - Throws: `SystemError` if there is no file descriptor left.
  public init(duplicating file: borrowing ReadOnlyFile) throws(SystemError) {
    let descriptor = fcntl(file.descriptor, F_DUPFD_CLOEXEC, 0)
    guard descriptor >= 0 else { throw SystemError(operation: "duplicate", path: file.path) }
    path = file.path
    self.descriptor = descriptor
    closes = true
  }

  /// Borrows a descriptor that the caller owns, such as standard input; it is not closed.
  public init(borrowing descriptor: Int32, named path: String) {
    self.path = path
    self.descriptor = descriptor
    closes = false
  }

  deinit {
    if closes { close(descriptor) }
  }

  /// What the file is at present.
  public func state() throws(SystemError) -> FileState {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw SystemError(operation: "fstat", path: path)
    }
    return FileState(status)
  }

  /// What `name` inside this directory is now; nil if there is nothing of that name.
  ///
  /// - Throws: `SystemError` if that can't be found out.
  public func state(of name: String) throws(SystemError) -> FileState? {
    var status = stat()
    if unsafe fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return FileState(status) }
    if errno == ENOENT { return nil }
    throw SystemError(operation: "stat", path: path + "/" + name)
  }

  /// Whether reading would return at once.
  public var isReadable: Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return retryingOnInterrupt { unsafe Int(poll(&request, 1, 0)) } > 0
  }

  /// Reads up to the buffer's size from the present position; 0 at the end.
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    let count = retryingOnInterrupt { unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
    guard count >= 0 else { throw SystemError(operation: "read", path: path) }
    return count
  }

  /// Where the next `read` begins, in a regular file.
  public var position: Int {
    get throws(SystemError) {
      let position = lseek(descriptor, 0, SEEK_CUR)
      guard position >= 0 else { throw SystemError(operation: "seek", path: path) }
      return Int(position)
    }
  }

  /// Makes the next `read` begin at another place of a regular file.
  public func seek(to position: Int) throws(SystemError) {
    guard lseek(descriptor, off_t(position), SEEK_SET) >= 0 else {
      throw SystemError(operation: "seek", path: path)
    }
  }

  /// The whole file's bytes, at most `limit` of them, from the beginning.
  public func contents(limit: Int) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < limit {
      let offset = bytes.count
      let wanted = min(limit - offset, max(4096, offset))
      var failure: SystemError?
      let chunk = unsafe [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
        count = retryingOnInterrupt {
          unsafe pread(descriptor, buffer.baseAddress, wanted, off_t(offset))
        }
        if count < 0 {
          failure = SystemError(operation: "read", path: path)
          count = 0
        }
      }
      if let failure { throw failure }
      if chunk.isEmpty { break }
      bytes += chunk
    }
    return bytes
  }
}
