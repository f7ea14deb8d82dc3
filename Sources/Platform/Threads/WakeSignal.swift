import Glibc

/// An event that one thread waits for and others announce, without a descriptor.
///
/// If it is announced before a wait, that wait ends at once; several announcements end one wait.
@safe package final class WakeSignal: @unchecked Sendable {
  // The C library keeps pointers to both, so they need stable addresses; `isSet` is accessed only while the
  // mutex is held.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var isSet = false

  /// An event that has not been announced.
  package init() {
    unsafe pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    unsafe pthread_condattr_init(&attributes)
    // A wait must not become longer because the wall clock is set.
    unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    unsafe pthread_cond_init(condition, &attributes)
    unsafe pthread_condattr_destroy(&attributes)
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe pthread_mutex_destroy(mutex)
    unsafe condition.deallocate()
    unsafe mutex.deallocate()
  }

  /// Announces the event.
  package func signal() {
    unsafe pthread_mutex_lock(mutex)
    isSet = true
    unsafe pthread_cond_broadcast(condition)
    unsafe pthread_mutex_unlock(mutex)
  }

  /// Waits for the event, and resets it.
  ///
  /// - Parameter nanoseconds: how long at most; nil sets no limit.
  /// - Returns: false if the time is over before.
  @discardableResult
  package func wait(nanoseconds: Int64?) -> Bool {
    var deadline = timespec()
    if let nanoseconds {
      unsafe clock_gettime(CLOCK_MONOTONIC, &deadline)
      let sum = Int64(deadline.tv_nsec) + min(max(0, nanoseconds), 1 << 60)
      deadline.tv_sec += Int(sum / 1_000_000_000)
      deadline.tv_nsec = Int(sum % 1_000_000_000)
    }
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    while !isSet {
      let code =
        unsafe nanoseconds == nil
        ? pthread_cond_wait(condition, mutex) : pthread_cond_timedwait(condition, mutex, &deadline)
      if code == ETIMEDOUT { break }
    }
    defer { isSet = false }
    return isSet
  }
}
