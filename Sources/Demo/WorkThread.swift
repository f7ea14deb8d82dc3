import Glibc
import Platform

/// A thread that is started at most once, and can be joined.
final class WorkThread: Sendable {
  private enum State {
    case idle
    case running(pthread_t)
    case done
  }

  private struct Work: ThreadLoop {
    let body: @Sendable () -> Void
    func run() { body() }
  }

  private let state = Guarded(State.idle)

  /// Runs a closure on the thread, unless it was started before.
  ///
  /// - Returns: whether there is a thread.
  func start(_ body: @escaping @Sendable () -> Void) -> Bool {
    state.withLock { state in
      guard case .idle = state else { return true }
      guard let thread = try? WorkerThread.start(Work(body: body)) else { return false }
      state = .running(thread)
      return true
    }
  }

  /// Waits for the thread's end, if it was started.
  func join() {
    let thread: pthread_t? = state.withLock { state in
      defer { state = .done }
      if case .running(let thread) = state { return thread }
      return nil
    }
    if let thread { pthread_join(thread, nil) }
  }
}
