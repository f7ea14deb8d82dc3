package import Glibc

/// A lock that is never held for long.
///
/// It is the C library's, which tries for a moment before it sleeps. `Synchronization.Mutex` passes each change of hands
/// through the kernel, so threads that do little else than take it come out half as fast; and it waits inside a library
/// that the thread sanitizer doesn't look into, so that every wait looks like a race.
@safe package struct Lock: ~Copyable, @unchecked Sendable {
  // The lock needs an address that stays.
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
