package import Glibc

/// The work of a thread.
package protocol ThreadLoop: ~Copyable {
  /// Returns when there is nothing left to do, or when told to stop.
  mutating func run()
}

/// Starts threads.
package enum WorkerThread {
  /// Passes the loop to the new thread.
  private class Start {
    func run() {}
  }

  private final class LoopStart<Loop: ThreadLoop & ~Copyable>: Start {
    private var loop: Loop
    init(_ loop: consuming Loop) { self.loop = loop }
    override func run() { loop.run() }
  }

  /// The size of a thread's stack: the usual 8 MiB would be too much where address space is limited, and no
  /// loop calls deeply.
  package static let usualStackBytes = 512 << 10

  /// Runs a loop on a new thread, with all signals blocked except SIGBUS, which the kernel sends when a
  /// mapped file has become shorter: blocked, it would end the process.
  ///
  /// The other signals belong to the main loop; and a write to a pipe that no process reads must be an error
  /// here, not the end of this process.
  package static func start<Loop: ThreadLoop & ~Copyable>(
    _ loop: consuming Loop, stackBytes: Int = usualStackBytes
  ) throws(Errno) -> pthread_t {
    let start: Unmanaged<Start> = unsafe Unmanaged.passRetained(LoopStart(loop))
    var all = sigset_t()
    var former = sigset_t()
    unsafe sigfillset(&all)
    unsafe sigdelset(&all, SIGBUS)
    unsafe pthread_sigmask(SIG_SETMASK, &all, &former)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &former, nil) }
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    unsafe pthread_attr_setstacksize(&attributes, stackBytes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    var thread = pthread_t()
    let code = unsafe pthread_create(
      &thread, &attributes,
      { context in
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, unsafe start.toOpaque())
    guard code == 0 else {
      unsafe start.release()
      throw Errno(code)
    }
    return thread
  }
}
