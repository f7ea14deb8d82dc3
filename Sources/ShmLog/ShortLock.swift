import Glibc

/// A value behind a lock that is held for a few dozen nanoseconds and much wanted.
///
/// The C library's lock tries for a moment before it sleeps. The standard library's passes each change of
/// hands through the kernel, so that nobody has to wait for one of lesser priority; threads that do little
/// else than take it come out half as fast.
final class ShortLock<State>: @unchecked Sendable {
  // The lock needs an address that stays; `state` is only touched under it.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private var state: State

  init(_ state: sending State) {
    self.state = state
    var attributes = pthread_mutexattr_t()
    pthread_mutexattr_init(&attributes)
    pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_ADAPTIVE_NP))
    pthread_mutex_init(mutex, &attributes)
    pthread_mutexattr_destroy(&attributes)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  /// Changes or reads the value; nobody else does meanwhile.
  @inline(__always)
  func withLock<Result>(_ body: (inout State) -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body(&state)
  }
}
