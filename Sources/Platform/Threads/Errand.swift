import Glibc

/// Work on a thread of its own, while the thread that has requested it continues and checks now and then
/// whether it is done.
package final class Errand<Result: ~Copyable>: @unchecked Sendable {
  // The result is stored and taken under the lock, by one thread each.
  private let result = Guarded<Result?>(nil)
  private let end = ThreadEnd()

  private struct Work: ThreadLoop, @unchecked Sendable {
    let errand: Errand
    let body: () -> Result

    func run() { errand.leave(body()) }
  }

  /// Work like reading a file may call as deeply as it does on the main thread.
  private static var stackBytes: Int { 8 << 20 }

  /// Begins the work.
  ///
  /// - Parameter work: uses nothing that the caller changes meanwhile.
  /// - Throws: `Errno` if there is no thread for it.
  package init(_ work: sending @escaping () -> sending Result) throws(Errno) {
    pthread_detach(
      try WorkerThread.start(Work(errand: self, body: work), stackBytes: Self.stackBytes))
  }

  private func leave(_ value: consuming Result) {
    var value: Result? = consume value
    result.withLock { swap(&$0, &value) }
    end.announce()
  }

  /// The result of the work; nil as long as it isn't done, and once the result was taken.
  package func take() -> Result? {
    guard end.isAnnounced else { return nil }
    return result.withLock { $0.take() }
  }

  /// Waits until the work is done, at most for this long.
  ///
  /// - Returns: whether it is done.
  package func wait(nanoseconds: Int64) -> Bool { end.wait(nanoseconds: nanoseconds) }
}
