import CShims
import Glibc
import Platform

/// A checkpoint's file in memory.
@safe final class CheckpointMemory: Sendable {
  /// The first byte; `CheckpointLayout.byteCount` of them are there as long as this is.
  nonisolated(unsafe) let base: UnsafeMutableRawPointer
  private let descriptor: Int32
  private let path: String

  /// Maps a file that is as long as a checkpoint, to read it or to write it, too; takes over the descriptor.
  ///
  /// - Throws: `SystemError` if it can't be mapped; the descriptor is closed then.
  init(_ descriptor: Int32, path: String, isWritable: Bool) throws(SystemError) {
    let mapped = unsafe mmap(
      nil, CheckpointLayout.byteCount, isWritable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
      descriptor, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
      let error = SystemError(operation: "map", path: path)
      close(descriptor)
      throw error
    }
    unsafe base = mapped
    self.descriptor = descriptor
    self.path = path
    // If the file is cut, what is written is lost, and the process goes on.
    if isWritable {
      _ = unsafe shim_guard_shared_region(mapped, CheckpointLayout.byteCount)
    } else {
      unsafe shim_guard_region(mapped, CheckpointLayout.byteCount)
    }
  }

  deinit {
    unsafe shim_unguard_region(base)
    unsafe munmap(base, CheckpointLayout.byteCount)
    // Closing the file descriptor also gives the lock up.
    close(descriptor)
  }

  /// The part that begins at an offset.
  func record(at offset: Int, copyByteCount: Int, key: UInt64) -> TwinRecord {
    precondition(offset >= 0 && offset + 2 * copyByteCount <= CheckpointLayout.byteCount)
    return unsafe TwinRecord(base + offset, copyByteCount: copyByteCount, key: key, of: self)
  }

  /// Writes a part of the file to the disk, and waits until it is there.
  func sync(offset: Int, byteCount: Int) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let start = offset / page * page
    _ = unsafe msync(base + start, offset + byteCount - start, MS_SYNC)
  }
}
