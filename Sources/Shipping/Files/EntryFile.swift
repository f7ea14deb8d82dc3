import Glibc
import Platform
import Spool

/// An open regular file that only ever ends in whole entries, or in whole compressed members.
final class EntryFile {
  private(set) var descriptor: Int32
  let path: String
  /// The size of the file: its size when it was opened, and the bytes written since.
  private(set) var byteCount: Int
  /// The identity of the file, whatever name it has by now.
  let identity: FileIdentity
  /// How many of the bytes at its end belong to a torn entry and could not be cut off yet.
  private var tornByteCount = 0
  /// Whether the file system counts a file's names, so that a deleted file can be recognized.
  private let countsNames: Bool
  private let isOwner: Bool
  private let system: SystemCalls

  /// Takes over a file that was opened to append to.
  convenience init(owning descriptor: Int32, path: String, status: stat, system: SystemCalls) {
    self.init(descriptor, path, status, isOwner: true, system)
  }

  /// Writes to a file that another process has opened and will close.
  convenience init(borrowing descriptor: Int32, name: String, status: stat, system: SystemCalls) {
    self.init(descriptor, name, status, isOwner: false, system)
  }

  private init(
    _ descriptor: Int32, _ path: String, _ status: stat, isOwner: Bool, _ system: SystemCalls
  ) {
    self.descriptor = descriptor
    self.path = path
    byteCount = Int(status.st_size)
    identity = FileIdentity(status)
    countsNames = status.st_nlink > 0
    self.isOwner = isOwner
    self.system = system
  }

  deinit {
    try? close()
  }

  /// Whether its end is torn, and could not be mended yet.
  var isTorn: Bool { tornByteCount > 0 }

  /// Appends as many entries as there is room for.
  /// - Returns: The bytes of the entries that are in the file now, all or at least one of them.
  /// - Throws: `SystemError` when not even one more entry was written; the file is as it was before.
  func append(_ batch: EntryBatch) throws(SystemError) -> Int {
    try mend()
    #if DEBUG
      if FaultPoint.lineHalfWritten.isReached() { unsafe writeHalfAndDie(batch.bytes) }
    #endif
    let (written, failure) = unsafe writeAll(batch.bytes)
    guard let failure else { return written }
    let entries = batch.entryCount(within: written)
    let whole = entries == 0 ? 0 : batch.endOffset(of: entries - 1)
    tear(written - whole)
    if entries == 0 { throw SystemError(operation: "write", path: path, errno: failure) }
    return whole
  }

  /// Appends all of these bytes or nothing.
  func append(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
    try mend()
    #if DEBUG
      if FaultPoint.memberHalfWritten.isReached() { unsafe writeHalfAndDie(bytes) }
    #endif
    let (written, failure) = unsafe writeAll(bytes)
    guard let failure else { return }
    tear(written)
    throw SystemError(operation: "write", path: path, errno: failure)
  }

  /// Appends all of these bytes or nothing.
  func append(_ bytes: [UInt8]) throws(SystemError) {
    let result: Result<Void, SystemError> = unsafe bytes.withUnsafeBytes { bytes in
      do throws(SystemError) {
        return unsafe .success(try append(bytes))
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  /// Whether another process has deleted the file, so that what is written to it will never be read.
  ///
  /// Also updates the length, as another process may have emptied the file.
  func isDeleted() -> Bool {
    guard let status = try? system.status(descriptor) else { return false }
    byteCount = Int(status.st_size) - tornByteCount
    return countsNames && status.st_nlink == 0
  }

  /// Whether another process has emptied the file since it was written to.
  func wasEmptied() -> Bool {
    guard byteCount > 0, let status = try? system.status(descriptor), status.st_size == 0 else {
      return false
    }
    byteCount = 0
    tornByteCount = 0
    return true
  }

  /// Makes the file outlive a power cut.
  ///
  /// - Parameter isWhole: whether the file's metadata, such as its times, must outlive it as well.
  func synchronize(isWhole: Bool = true) throws(SystemError) {
    try mend()
    do {
      if isWhole { try system.synchronize(descriptor) } else { try system.synchronizeData(descriptor) }
    } catch .invalid, .unsupported, .notSupported {
      // The file is of a kind that can't be synchronized.
    } catch {
      throw SystemError(operation: "fsync", path: path, errno: error)
    }
  }

  /// Closes the file; some file systems report a failed write only now.
  func close() throws(SystemError) {
    guard isOwner, descriptor >= 0 else { return }
    let closing = descriptor
    descriptor = -1
    // A child process that is just being started has the descriptor until it executes its program, and would
    // keep the lock.
    SystemCalls.unlock(closing)
    do {
      try system.close(closing)
    } catch {
      throw SystemError(operation: "close", path: path, errno: error)
    }
  }

  private func writeAll(_ bytes: UnsafeRawBufferPointer) -> (Int, Errno?) {
    var written = 0
    while written < bytes.count {
      do {
        let count = unsafe try system.write(
          descriptor, UnsafeRawBufferPointer(rebasing: bytes[written...]))
        written += count
        byteCount += count
      } catch .wouldBlock {
        // Regular files never report this, but one may be backed by something else.
        var descriptors = [pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)]
        SystemCalls.poll(&descriptors, nanoseconds: nil)
      } catch {
        return (written, error)
      }
    }
    return (written, nil)
  }

  /// Notes that the last bytes belong to no whole entry, and tries to cut them off.
  ///
  /// If that fails, it is tried again before anything else is written; the caller reports the failure of the
  /// write itself.
  private func tear(_ count: Int) {
    byteCount -= count
    tornByteCount = count
    try? mend()
  }

  /// Cuts off what a failed write has left of an entry.
  ///
  /// The bytes are counted from the file's present end, as another process may have emptied the file
  /// meanwhile.
  func mend() throws(SystemError) {
    guard isTorn else { return }
    do {
      let size = Int(try system.status(descriptor).st_size)
      try system.truncate(descriptor, to: max(0, size - tornByteCount))
    } catch {
      throw SystemError(operation: "ftruncate", path: path, errno: error)
    }
    // Only a borrowed file may have been opened without O_APPEND.
    if !isOwner { try? system.seek(descriptor, by: -tornByteCount) }
    tornByteCount = 0
  }

  #if DEBUG
    private func writeHalfAndDie(_ bytes: UnsafeRawBufferPointer) {
      _ = unsafe writeAll(UnsafeRawBufferPointer(rebasing: bytes.prefix(max(1, bytes.count / 2))))
      FaultPoint.die()
    }
  #endif
}
