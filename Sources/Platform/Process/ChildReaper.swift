package import Glibc

/// Reaps children that no other code waits for any more, on a thread that exists as long as there are such
/// children.
///
/// A child that was killed may take long to end, and one that was left alone may run for long; without this,
/// it would stay a zombie until the program ends.
package final class ChildReaper: Sendable {
  /// The reaper of this process.
  package static let shared = ChildReaper()

  private struct State {
    var children: [pid_t] = []
    var hasThread = false
  }

  private static let pauseNanoseconds: ClosedRange<Int64> = 10_000_000...1_000_000_000

  private let state = Guarded(State())
  /// Signalled when there is another child.
  private let hasMore = WakeSignal()

  /// Takes over a child that wasn't reaped; no other code may wait for it from now on.
  package func adopt(_ child: pid_t) {
    let needsThread = state.withLock { state in
      state.children.append(child)
      defer { state.hasThread = true }
      return !state.hasThread
    }
    hasMore.signal()
    guard needsThread else { return }
    if let thread = try? WorkerThread.start(Loop(reaper: self)) {
      pthread_detach(thread)
    } else {
      // The next child gets a thread, which reaps both.
      state.withLock { $0.hasThread = false }
    }
  }

  private struct Loop: ThreadLoop {
    let reaper: ChildReaper

    func run() {
      var pauses = Backoff(nanoseconds: ChildReaper.pauseNanoseconds)
      // Not every kernel has a descriptor that announces a child's end, and there is no hurry.
      while reaper.reapThoseThatHaveEnded() {
        if reaper.hasMore.wait(nanoseconds: pauses.next()) { pauses.reset() }
      }
    }
  }

  /// Reaps the children that have ended.
  ///
  /// - Returns: false if there are no children left; then the thread ends.
  private func reapThoseThatHaveEnded() -> Bool {
    state.withLock { state in
      // Without waiting for any of them.
      state.children.removeAll { child in
        var status: Int32 = 0
        return unsafe waitpid(child, &status, WNOHANG) != 0
      }
      state.hasThread = !state.children.isEmpty
      return state.hasThread
    }
  }
}
