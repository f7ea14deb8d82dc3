import Synchronization

/// Tells whether a thread should end, and whether it has ended.
package final class ThreadEnd: Sendable {
  private let isWanted = Atomic<Bool>(false)
  private let hasCome = Atomic<Bool>(false)
  private let signal = WakeSignal()

  /// The state of a running thread.
  package init() {}

  /// Whether the thread has been asked to end.
  package var isRequested: Bool { isWanted.load(ordering: .sequentiallyConsistent) }

  package func request() { isWanted.store(true, ordering: .sequentiallyConsistent) }

  /// Whether the thread has ended, and its numbers are final.
  package var isAnnounced: Bool { hasCome.load(ordering: .acquiring) }

  /// Announces that the thread has ended; called by the thread.
  package func announce() {
    hasCome.store(true, ordering: .releasing)
    signal.signal()
  }

  /// Waits for the end; false when the time is over before.
  package func wait(nanoseconds: Int64) -> Bool {
    if !isAnnounced { signal.wait(nanoseconds: nanoseconds) }
    return isAnnounced
  }
}
