import Glibc

/// A ring that readers would have to lock as well: the log without its lock-free protocol.
final class LockedRing: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let memory: UnsafeMutableRawPointer
  private let byteCount: Int
  private var position = 0

  init(byteCount: Int) {
    self.byteCount = byteCount
    memory = .allocate(byteCount: byteCount, alignment: 8)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
    memory.deallocate()
  }

  /// Copies the bytes with the lock held.
  func append(_ bytes: UnsafeRawBufferPointer) {
    pthread_mutex_lock(mutex)
    if position + bytes.count > byteCount { position = 0 }
    if let source = bytes.baseAddress { (memory + position).copyMemory(from: source, byteCount: bytes.count) }
    position += bytes.count
    pthread_mutex_unlock(mutex)
  }

  /// Puts texts one after the other into a buffer, each with a header of 8 bytes, and copies the buffer.
  func append(_ texts: [StaticString], through buffer: UnsafeMutableRawPointer, number: UInt64) {
    var used = 0
    for text in texts {
      let count = text.utf8CodeUnitCount
      buffer.storeBytes(of: UInt32(count), toByteOffset: used, as: UInt32.self)
      buffer.storeBytes(of: UInt32(truncatingIfNeeded: number), toByteOffset: used + 4, as: UInt32.self)
      (buffer + used + 8).copyMemory(from: text.utf8Start, byteCount: count)
      used += 8 + (count + 4) & ~3
    }
    append(UnsafeRawBufferPointer(start: buffer, count: used))
  }
}
