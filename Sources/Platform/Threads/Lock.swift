package import Glibc

/// A lock that is never held for long.
///
/// This is the C library's lock, which spins for a moment before it sleeps. `Synchronization.Mutex` passes
/// each handover through the kernel, so threads that do little but take it are half as fast; and it waits
/// inside a library that the thread sanitizer doesn't see into, so that every wait looks like a race.
@safe package struct Lock: ~Copyable, @unchecked Sendable {
  // The lock needs a stable address.
  @usableFromInline package let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  package init() {
    var attributes = pthread_mutexattr_t()
    unsafe pthread_mutexattr_init(&attributes)
    unsafe pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_ADAPTIVE_NP))
    unsafe pthread_mutex_init(mutex, &attributes)
    unsafe pthread_mutexattr_destroy(&attributes)
  }

  deinit {
    unsafe pthread_mutex_destroy(mutex)
    unsafe mutex.deallocate()
  }

  /// Runs `body` while no other thread does so.
  @inlinable
  package func withLock<Result: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    return try body()
  }
}
