import Glibc

/// An open regular file that only ever ends in whole records, or in whole compressed members.
struct RecordFile: ~Copyable {
  private(set) var descriptor: Int32
  let path: String
  /// The size of the file: what it had when it was opened and what has been written since.
  private(set) var byteCount: Int
  /// Which file it is, however it is called by now.
  let identity: FileIdentity
  private let isOwner: Bool
  private let system: SystemCalls

  /// Opens a file for appending and creates it if there is none.
  init(path: String, truncates: Bool, system: SystemCalls) throws(SinkError) {
    let flags = O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | (truncates ? O_TRUNC : 0)
    let opened = try Self.open(path, flags, system)
    self.init(opened.descriptor, path, opened.status, isOwner: true, system)
  }

  /// Writes to a file that somebody else has opened and will close.
  init(borrowing descriptor: Int32, name: String, status: stat, system: SystemCalls) {
    self.init(descriptor, name, status, isOwner: false, system)
  }

  private init(
    _ descriptor: Int32, _ path: String, _ status: stat, isOwner: Bool, _ system: SystemCalls
  ) {
    self.descriptor = descriptor
    self.path = path
    byteCount = Int(status.st_size)
    identity = FileIdentity(status)
    self.isOwner = isOwner
    self.system = system
  }

  private static func open(
    _ path: String, _ flags: Int32, _ system: SystemCalls
  ) throws(SinkError) -> (descriptor: Int32, status: stat) {
    let descriptor: Int32
    do {
      descriptor = try system.open(path, flags)
    } catch {
      throw SinkError(target: path, operation: "open", errno: error)
    }
    do {
      return (descriptor, try system.status(descriptor))
    } catch {
      try? system.close(descriptor)
      throw SinkError(target: path, operation: "stat", errno: error)
    }
  }

  deinit {
    if isOwner, descriptor >= 0 { try? system.close(descriptor) }
  }

  /// Appends as many records as there is room for.
  /// - Returns: The bytes of the records that are in the file now, all or at least one of them.
  /// - Throws: `SinkError` when there is not even one more; the file is as it was.
  mutating func append(_ batch: RecordBatch) throws(SinkError) -> Int {
    let (written, failure) = writeAll(batch.bytes)
    guard let failure else { return written }
    let records = batch.recordCount(within: written)
    let whole = records == 0 ? 0 : batch.endOffset(of: records - 1)
    takeBack(written - whole)
    if records == 0 { throw SinkError(target: path, operation: "write", errno: failure) }
    return whole
  }

  /// Appends all of these bytes or nothing.
  mutating func append(_ bytes: UnsafeRawBufferPointer) throws(SinkError) {
    let (written, failure) = writeAll(bytes)
    guard let failure else { return }
    takeBack(written)
    throw SinkError(target: path, operation: "write", errno: failure)
  }

  /// Makes the file outlive a power cut.
  func synchronize() throws(SinkError) {
    do {
      try system.synchronize(descriptor)
    } catch {
      throw SinkError(target: path, operation: "fsync", errno: error)
    }
  }

  /// Closes the file; some file systems report a failed write only now.
  mutating func close() throws(SinkError) {
    guard isOwner, descriptor >= 0 else { return }
    let closing = descriptor
    descriptor = -1
    do {
      try system.close(closing)
    } catch {
      throw SinkError(target: path, operation: "close", errno: error)
    }
  }

  private mutating func writeAll(_ bytes: UnsafeRawBufferPointer) -> (Int, Errno?) {
    var written = 0
    while written < bytes.count {
      do {
        let count = try system.write(
          descriptor, UnsafeRawBufferPointer(rebasing: bytes[written...]))
        written += count
        byteCount += count
      } catch .wouldBlock {
        // Regular files never say so, but what looks like one may be something else underneath.
        var descriptors = [pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)]
        SystemCalls.poll(&descriptors, nanoseconds: nil)
      } catch {
        return (written, error)
      }
    }
    return (written, nil)
  }

  /// Cuts off the last bytes that were written.
  ///
  /// Counted from where the file ends now, as somebody may have emptied it meanwhile. A failure
  /// here leaves a torn record; the write's own failure is what gets reported.
  private mutating func takeBack(_ count: Int) {
    guard count > 0 else { return }
    byteCount -= count
    guard let status = try? system.status(descriptor) else { return }
    try? system.truncate(descriptor, to: max(0, Int(status.st_size) - count))
    // Only a borrowed file may have been opened without O_APPEND.
    if !isOwner { try? system.seek(descriptor, by: -count) }
  }
}

/// Which file something is, whatever it is called.
struct FileIdentity: Equatable, Sendable {
  let device: UInt64
  let inode: UInt64

  init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }
}

extension stat {
  /// Whether this is a regular file.
  var isRegular: Bool { st_mode & S_IFMT == S_IFREG }
  /// Whether this is a pipe, with a name or without.
  var isPipe: Bool { st_mode & S_IFMT == S_IFIFO }
  /// Whether this is a socket.
  var isSocket: Bool { st_mode & S_IFMT == S_IFSOCK }
}
