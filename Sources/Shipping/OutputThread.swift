import Glibc

/// Starts writer threads.
enum OutputThread {
  /// What a thread finds at its beginning.
  private final class Start {
    var loop: OutputLoop?
    init(_ loop: consuming OutputLoop) { self.loop = consume loop }
  }

  /// Runs a loop on a thread of its own, in which all signals are blocked.
  ///
  /// They belong to the main loop; and a write to a pipe that nobody reads must be an error here,
  /// not the end of the process.
  static func start(_ loop: consuming OutputLoop) throws(Errno) -> pthread_t {
    let start = Unmanaged.passRetained(Start(loop))
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
        let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
        if var loop = start.loop.take() { loop.run() }
        return nil
      }, start.toOpaque())
    guard code == 0 else {
      start.release()
      throw Errno(code)
    }
    return thread
  }
}
