import CShims
import Glibc
import Platform

/// A file of this writer, mapped for writing, that other processes may read.
///
/// The mapping outlives the removal of the file. If another process cuts the file, the writes go to memory that
/// no reader sees instead of ending this process.
@safe final class SharedFile: @unchecked Sendable {
  /// The first byte.
  let base: UnsafeMutableRawPointer
  /// How many bytes may be used.
  let byteCount: Int
  private let mappedByteCount: Int

  /// Makes a file of zeros in a directory, with blocks that are really there, and maps it.
  ///
  /// - Throws: `SystemError` if that fails; the file has been removed again then.
  init(
    creating name: String, in directory: WriterDirectory, byteCount: Int, permissions: UInt32
  ) throws(SystemError) {
    let page = sysconf(Int32(_SC_PAGESIZE))
    let whole = (byteCount + page - 1) / page * page
    let descriptor = try directory.create(name, permissions: permissions)
    defer { Glibc.close(descriptor) }
    let path = directory.path + "/" + name
    do throws(SystemError) {
      try Self.reserve(whole, descriptor, path)
      let mapped = unsafe mmap(nil, whole, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
      guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
        throw SystemError(operation: "map", path: path)
      }
      unsafe base = unsafe mapped
    } catch {
      _ = directory.remove(name)
      throw error
    }
    self.byteCount = byteCount
    mappedByteCount = whole
    _ = unsafe shim_guard_shared_region(base, whole)
  }

  deinit {
    unsafe shim_unguard_region(base)
    unsafe munmap(base, mappedByteCount)
  }

  /// Takes the blocks now: a disk that is full later would end the process at a store.
  private static func reserve(_ byteCount: Int, _ descriptor: Int32, _ path: String) throws(SystemError) {
    guard UInt64(byteCount) <= shim_file_size_limit() else {
      throw SystemError(operation: "grow to \(byteCount) bytes", path: path, code: EFBIG)
    }
    let result = retryingOnInterrupt {
      Int(shim_allocate_blocks(descriptor, 0, Int64(byteCount), true))
    }
    if result == 0 { return }
    guard errno == EOPNOTSUPP || errno == ENOSYS else {
      throw SystemError(operation: "grow to \(byteCount) bytes", path: path)
    }
    // If the file system can't allocate blocks on request, writing zeros takes them.
    let zeros = [UInt8](repeating: 0, count: 1 << 16)
    var done = 0
    while done < byteCount {
      let count = retryingOnInterrupt { unsafe write(descriptor, zeros, min(zeros.count, byteCount - done)) }
      guard count >= 0 else { throw SystemError(operation: "write", path: path) }
      done += count
    }
  }
}
