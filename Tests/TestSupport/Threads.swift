import Glibc

/// Runs `body` on a new detached thread.
public func detachThread(_ body: @escaping @Sendable () -> Void) {
  final class Box {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  let context = Unmanaged.passRetained(Box(body)).toOpaque()
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  var thread = pthread_t()
  let status = pthread_create(
    &thread, &attributes,
    { context in
      guard let context else { return nil }
      Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
      return nil
    }, context)
  precondition(status == 0, "no thread: \(String(cString: strerror(status)))")
  pthread_attr_destroy(&attributes)
}

/// Runs a test body that waits for processes on a thread of its own.
///
/// So the few threads of the concurrency runtime remain free for other tests. The body stays a part of the
/// test's task, so issues are recorded for its test.
public func onOwnThread<Result: Sendable>(
  _ body: @Sendable () async throws -> Result
) async throws -> Result {
  try await withTaskExecutorPreference(OwnThreadExecutor()) { try await body() }
}

/// An executor that runs each job of a task on a new thread.
private final class OwnThreadExecutor: TaskExecutor {
  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    detachThread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
