package import Glibc

/// A value behind a lock that is never held for long.
///
/// It is the C library's lock, which tries for a moment before it sleeps. `Synchronization.Mutex` passes each
/// change of hands through the kernel, so threads that do little else than take it come out half as fast; and
/// it waits inside a library that the thread sanitizer doesn't look into, so that every wait looks like a race.
@safe package final class Guarded<Value: ~Copyable>: @unchecked Sendable {
  // The lock needs an address that stays; `value` is only touched while it is held, so no exclusivity check is needed.
  @usableFromInline package let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  @exclusivity(unchecked) @usableFromInline package var value: Value

  package init(_ value: consuming sending Value) {
    unsafe self.value = value
    var attributes = pthread_mutexattr_t()
    unsafe pthread_mutexattr_init(&attributes)
    unsafe pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_ADAPTIVE_NP))
    unsafe pthread_mutex_init(lock, &attributes)
    unsafe pthread_mutexattr_destroy(&attributes)
  }

  deinit {
    unsafe pthread_mutex_destroy(lock)
    unsafe lock.deallocate()
  }

  /// Reads or changes the value, alone with it.
  @inlinable
  package func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    unsafe pthread_mutex_lock(lock)
    defer { unsafe pthread_mutex_unlock(lock) }
    return unsafe try body(&value)
  }
}
