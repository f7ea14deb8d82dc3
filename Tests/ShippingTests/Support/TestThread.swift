import Glibc
@testable import Platform
import SharedMemory
@testable import Shipping

/// A thread that belongs to a test, so that waiting in it doesn't block other tests.
final class TestThread<Value: Sendable>: Sendable {
  private final class Start: Sendable {
    let body: @Sendable () -> Value
    let result = Guarded<Value?>(nil)
    init(_ body: @escaping @Sendable () -> Value) { self.body = body }
    func run() {
      let value = body()
      result.withLock { $0 = value }
    }
  }

  private let start: Start
  private let thread: pthread_t

  init(_ body: @escaping @Sendable () -> Value) {
    start = Start(body)
    var thread = pthread_t()
    let context = Unmanaged.passRetained(Box { [start] in start.run() }).toOpaque()
    pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<Box>.fromOpaque(context).takeRetainedValue().run() }
        return nil
      }, context)
    self.thread = thread
  }

  /// Waits for the thread to end.
  func join() -> Value? {
    pthread_join(thread, nil)
    return start.result.withLock { $0 }
  }
}

private final class Box: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
