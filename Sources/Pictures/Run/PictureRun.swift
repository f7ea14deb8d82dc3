import Glibc
package import Pipeline
import Platform
package import TerminalViews

/// Carries a log to observers, and shows what they make of it.
package enum PictureRun {
  /// Runs without showing anything.
  package static func run(_ configuration: Configuration) throws(RunError) -> RunOutcome {
    try Pipeline.run(configuration)
  }

  /// Runs, and shows a view on the terminal meanwhile, on a thread of its own.
  package static func run<View: TerminalView & Sendable & ~Copyable>(
    _ configuration: Configuration, _ watch: RunWatch, on terminal: consuming Terminal,
    showing view: consuming sending View
  ) throws(RunError) -> RunOutcome {
    var configuration = configuration
    blockSignals()
    let thread = ScreenThread(terminal, view, watch)
    configuration.process.monitor = watch.makeMonitor { thread.start() }
    configuration.process.showsAccounting = false
    // What is read at once isn't attached to.
    if case .captured = configuration.input.source { thread.start() }
    defer {
      watch.noteEnd()
      if watch.staysAtEnd { awaitClosing(watch) }
      thread.join()
      for notice in watch.takeNotices() {
        MessageQueue.shared.say(notice, as: configuration.process.programName)
      }
    }
    return try Pipeline.run(configuration)
  }

  /// Waits until the view is closed by a key, or closes it on a signal: the run that looked at signals has ended.
  private static func awaitClosing(_ watch: RunWatch) {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&signals, signal) }
    while !watch.isClosed {
      var time = timespec(tv_sec: 0, tv_nsec: 100_000_000)
      if unsafe sigtimedwait(&signals, nil, &time) > 0 { watch.close() }
    }
  }

  /// Signals are for the run; no other thread is interrupted by them, and a change of the terminal's size must wait for
  /// the thread that asks.
  private static func blockSignals() {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH] { unsafe sigaddset(&signals, signal) }
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
  }
}
