import Glibc
import Synchronization

/// Whether a thread should end, and whether it has.
final class ThreadEnd: Sendable {
  private let isWanted = Atomic<Bool>(false)
  private let hasCome = Atomic<Bool>(false)
  private let event: WakeEvent

  init(_ event: consuming WakeEvent) { self.event = event }

  /// Whether the thread has been asked to end.
  var isRequested: Bool { isWanted.load(ordering: .sequentiallyConsistent) }

  func request() { isWanted.store(true, ordering: .sequentiallyConsistent) }

  /// Says that the thread has ended and its numbers are final; for the thread.
  func announce() {
    hasCome.store(true, ordering: .releasing)
    event.signal()
  }

  /// Waits for the end; false when the time is over before.
  func wait(nanoseconds: Int64) -> Bool {
    let deadline = Moment.now().steadyNanoseconds + nanoseconds
    while !hasCome.load(ordering: .acquiring) {
      let left = deadline - Moment.now().steadyNanoseconds
      if left <= 0 { return false }
      var descriptors = [pollfd(fd: event.descriptor, events: Int16(POLLIN), revents: 0)]
      SystemCalls.poll(&descriptors, nanoseconds: left)
    }
    return true
  }

  /// Waits for the end or for a descriptor; whether the end has come.
  func wait(or descriptor: Int32) -> Bool {
    if hasCome.load(ordering: .acquiring) { return true }
    var descriptors = [
      pollfd(fd: event.descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
    ]
    SystemCalls.poll(&descriptors, nanoseconds: nil)
    return hasCome.load(ordering: .acquiring)
  }
}
