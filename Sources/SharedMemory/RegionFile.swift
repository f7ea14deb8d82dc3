import CShims
import Glibc
import Platform

/// The file under a region: an open file descriptor that is the region's own, and the operations on the
/// file's blocks.
package struct RegionFile: ~Copyable, Sendable {
  /// The name it was opened by, for messages.
  let path: String
  let descriptor: Int32

  private init(path: String, descriptor: Int, _ operation: String) throws(RegionError) {
    guard descriptor >= 0 else { throw .system(SystemError(operation: operation, path: path)) }
    self.path = path
    self.descriptor = Int32(descriptor)
  }

  /// Makes a file in memory that has no name.
  static func anonymous(_ label: String) throws(RegionError) -> RegionFile {
    try RegionFile(
      path: "memfd:\(label)", descriptor: unsafe Int(shim_anonymous_file(label)), "make a file in memory")
  }

  /// Makes a file that did not exist.
  static func create(_ path: String) throws(RegionError) -> RegionFile {
    let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC
    return try RegionFile(
      path: path, descriptor: retryingOnInterrupt { unsafe Int(Glibc.open(path, flags, 0o600)) }, "create")
  }

  /// Opens a file for reading and writing.
  static func open(_ path: String) throws(RegionError) -> RegionFile {
    let descriptor = retryingOnInterrupt { unsafe Int(Glibc.open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK)) }
    let file = try RegionFile(path: path, descriptor: descriptor, "open")
    guard try file.state().isRegularFile else {
      throw .damaged(path: path, reason: "not a regular file")
    }
    return file
  }

  deinit { close(descriptor) }

  // MARK: - What it is

  private func failure(_ operation: String, code: Int32? = nil) -> RegionError {
    .system(SystemError(operation: operation, path: path, code: code))
  }

  private func status() throws(RegionError) -> stat {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw failure("fstat") }
    return status
  }

  func state() throws(RegionError) -> FileState { FileState(try status()) }

  /// The file's size, independent of what its header says.
  func byteCount() throws(RegionError) -> Int { Int(try status().st_size) }

  /// How many bytes its blocks take.
  func allocatedByteCount() throws(RegionError) -> Int { Int(try status().st_blocks) * 512 }

  /// Up to `count` bytes from the beginning.
  func head(_ count: Int) throws(RegionError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let found = retryingOnInterrupt { unsafe pread(descriptor, &bytes, count, 0) }
    guard found >= 0 else { throw failure("read") }
    return Array(bytes[..<found])
  }

  // MARK: - Changing it

  /// Runs `body` under the file's lock, which excludes other processes and other openings of the file.
  func withLock<Result>(_ body: () throws(RegionError) -> Result) throws(RegionError) -> Result {
    guard retryingOnInterrupt({ Int(shim_lock_file(descriptor)) }) == 0 else { throw failure("lock") }
    defer { _ = shim_unlock_file(descriptor) }
    return try body()
  }

  /// Writes all of `bytes` at an offset.
  func write(_ bytes: [UInt8], at offset: Int) throws(RegionError) {
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
        return retryingOnInterrupt {
          unsafe pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
        }
      }
      guard count >= 0 else { throw allocationFailure("write") }
      done += count
    }
  }

  /// Cuts the file, or makes it longer without blocks.
  func truncate(to byteCount: Int) throws(RegionError) {
    guard retryingOnInterrupt({ Int(ftruncate(descriptor, off_t(byteCount))) }) == 0 else {
      throw failure("truncate to \(byteCount) bytes")
    }
  }

  /// Makes a file that ends at the range's beginning reach to its end, with blocks that are really there.
  ///
  /// - Throws: `RegionError.noSpace` when they can't be had; the file is what it was then.
  func extend(over range: Range<Int>) throws(RegionError) {
    // Beyond the limit, the system would send a signal.
    guard UInt64(range.upperBound) <= shim_file_size_limit() else {
      throw allocationFailure("grow to \(range.upperBound) bytes", code: EFBIG)
    }
    do throws(RegionError) {
      if try allocateBlocks(range, extends: true, "grow to \(range.upperBound) bytes") { return }
      // If the file system can't allocate blocks on request, writing zeros takes them.
      let zeros = [UInt8](repeating: 0, count: 1 << 16)
      for offset in stride(from: range.lowerBound, to: range.upperBound, by: zeros.count) {
        try write(Array(zeros.prefix(range.upperBound - offset)), at: offset)
      }
    } catch {
      // Some of the blocks may have been granted.
      try? truncate(to: range.lowerBound)
      throw error
    }
  }

  /// Makes the blocks of a part of the file real; what it contains stays.
  ///
  /// - Throws: `RegionError.noSpace` when they can't be had.
  func allocate(_ range: Range<Int>) throws(RegionError) {
    // A file system that can't take blocks in advance can't have given any back either.
    _ = try allocateBlocks(range, extends: false, "allocate \(range.count) bytes")
  }

  /// Gives the blocks of a part of the file back.
  ///
  /// - Returns: False if the file system can't do that.
  func punchHole(_ range: Range<Int>) throws(RegionError) -> Bool {
    let result = retryingOnInterrupt {
      Int(shim_punch_hole(descriptor, Int64(range.lowerBound), Int64(range.count)))
    }
    if result == 0 { return true }
    if errno == EOPNOTSUPP || errno == ENOSYS { return false }
    throw failure("give \(range.count) bytes back")
  }

  /// Waits until all that was written is on the disk.
  func synchronize() throws(RegionError) {
    guard retryingOnInterrupt({ Int(fdatasync(descriptor)) }) == 0 else { throw failure("synchronize") }
  }

  private func allocateBlocks(
    _ range: Range<Int>, extends: Bool, _ operation: String
  ) throws(RegionError) -> Bool {
    let result = retryingOnInterrupt {
      Int(shim_allocate_blocks(descriptor, Int64(range.lowerBound), Int64(range.count), extends))
    }
    if result == 0 { return true }
    if errno == EOPNOTSUPP || errno == ENOSYS { return false }
    throw allocationFailure(operation)
  }

  /// The error for blocks that could not be had, by its reason.
  private func allocationFailure(_ operation: String, code: Int32? = nil) -> RegionError {
    let error = SystemError(operation: operation, path: path, code: code)
    return [ENOSPC, EDQUOT, EFBIG, ENOMEM].contains(error.code) ? .noSpace(error) : .system(error)
  }
}
