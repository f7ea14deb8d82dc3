import Glibc

/// An event that one thread waits for and others announce, without a descriptor.
///
/// Announced before it is waited for, it ends the next wait at once; announced several times, it ends one.
package final class WakeSignal: @unchecked Sendable {
  // The C library keeps pointers to both, so they need addresses that stay; `isSet` is only touched while the
  // mutex is held.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var isSet = false

  /// An event that has not been announced.
  package init() {
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    // A wait must not become longer because the wall clock is set.
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Announces the event.
  package func signal() {
    pthread_mutex_lock(mutex)
    isSet = true
    pthread_cond_broadcast(condition)
    pthread_mutex_unlock(mutex)
  }

  /// Waits for the event, and takes it.
  ///
  /// - Parameter nanoseconds: how long at most; nil is for ever.
  /// - Returns: false when the time is over before.
  @discardableResult
  package func wait(nanoseconds: Int64?) -> Bool {
    var deadline = timespec()
    if let nanoseconds {
      clock_gettime(CLOCK_MONOTONIC, &deadline)
      let sum = Int64(deadline.tv_nsec) + min(max(0, nanoseconds), 1 << 60)
      deadline.tv_sec += Int(sum / 1_000_000_000)
      deadline.tv_nsec = Int(sum % 1_000_000_000)
    }
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while !isSet {
      let code =
        nanoseconds == nil
        ? pthread_cond_wait(condition, mutex) : pthread_cond_timedwait(condition, mutex, &deadline)
      if code == ETIMEDOUT { break }
    }
    defer { isSet = false }
    return isSet
  }
}
