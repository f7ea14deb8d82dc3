package import Glibc

/// What a thread does.
package protocol ThreadLoop: ~Copyable {
  /// Returns when there is nothing left to do, or when told to stop.
  mutating func run()
}

/// Starts threads.
package enum OutputThread {
  /// What a thread finds at its beginning.
  private class Start {
    func run() {}
  }

  private final class LoopStart<Loop: ThreadLoop & ~Copyable>: Start {
    private var loop: Loop
    init(_ loop: consuming Loop) { self.loop = loop }
    override func run() { loop.run() }
  }

  /// Runs a loop on a thread of its own, in which all signals are blocked.
  ///
  /// They belong to the main loop; and a write to a pipe that nobody reads must be an error here,
  /// not the end of the process.
  package static func start<Loop: ThreadLoop & ~Copyable>(_ loop: consuming Loop) throws(Errno) -> pthread_t {
    let start: Unmanaged<Start> = Unmanaged.passRetained(LoopStart(loop))
    var all = sigset_t()
    var former = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &former)
    defer { pthread_sigmask(SIG_SETMASK, &former, nil) }
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<Start>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, start.toOpaque())
    guard code == 0 else {
      start.release()
      throw Errno(code)
    }
    return thread
  }
}
