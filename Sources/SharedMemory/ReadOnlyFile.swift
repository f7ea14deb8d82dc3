import Glibc

/// An open file or directory that can be looked at and never written.
///
/// Owns its descriptor; there is no way through this type to open anything but `O_RDONLY`.
public struct ReadOnlyFile: ~Copyable {
  /// The name the file was opened by, for messages.
  public let path: String
  /// The descriptor, valid as long as this value lives.
  public let descriptor: Int32
  private let closes: Bool

  /// Opens a file by name.
  ///
  /// - Throws: `SystemError` if it can't be opened.
  public init(path: String) throws(SystemError) {
    let descriptor = Int32(retryingOnInterrupt { Int(open(path, O_RDONLY | O_CLOEXEC)) })
    guard descriptor >= 0 else { throw SystemError(operation: "open", path: path) }
    self.path = path
    self.descriptor = descriptor
    closes = true
  }

  /// Opens `name` inside an open directory, without following a symbolic link.
  ///
  /// - Throws: `SystemError` if it can't be opened.
  public init(name: String, in directory: borrowing ReadOnlyFile) throws(SystemError) {
    let path = directory.path + "/" + name
    let parent = directory.descriptor
    let descriptor = Int32(
      retryingOnInterrupt { Int(openat(parent, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) })
    guard descriptor >= 0 else { throw SystemError(operation: "open", path: path) }
    self.path = path
    self.descriptor = descriptor
    closes = true
  }

  /// Borrows a descriptor that somebody else opened, such as standard input; it is not closed.
  public init(borrowing descriptor: Int32, named path: String) {
    self.path = path
    self.descriptor = descriptor
    closes = false
  }

  deinit {
    if closes { close(descriptor) }
  }

  /// The file's present identity and size.
  public func identity() throws(SystemError) -> FileIdentity {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw SystemError(operation: "fstat", path: path)
    }
    return FileIdentity(status)
  }

  /// What `name` inside this directory is now; nil if there is nothing of that name.
  public func identity(of name: String) -> FileIdentity? {
    var status = stat()
    guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
    return FileIdentity(status)
  }

  /// Whether reading would return at once.
  public var isReadable: Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return retryingOnInterrupt { Int(poll(&request, 1, 0)) } > 0
  }

  /// Reads up to the buffer's size from the present position; 0 at the end.
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    let count = retryingOnInterrupt { Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
    guard count >= 0 else { throw SystemError(operation: "read", path: path) }
    return count
  }

  /// The whole file's bytes, at most `limit` of them, from the beginning.
  public func contents(limit: Int) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < limit {
      let offset = bytes.count
      let wanted = min(limit - offset, max(4096, offset))
      var failure: SystemError?
      let chunk = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
        count = retryingOnInterrupt {
          pread(descriptor, buffer.baseAddress, wanted, off_t(offset))
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
