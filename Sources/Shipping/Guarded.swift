import Glibc

/// A value behind a lock, never held for long.
///
/// `Synchronization.Mutex` waits inside a library that the thread sanitizer doesn't look into, so that every
/// wait looks like a race; this is the lock that it knows.
final class Guarded<Value: Sendable>: @unchecked Sendable {
  // The lock needs an address that stays; `value` is only touched while it is held.
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private var value: Value

  init(_ value: Value) {
    self.value = value
    pthread_mutex_init(lock, nil)
  }

  deinit {
    pthread_mutex_destroy(lock)
    lock.deallocate()
  }

  /// Reads or changes the value, alone with it.
  func withLock<Result, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return try body(&value)
  }
}
