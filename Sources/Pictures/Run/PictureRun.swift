import Glibc
package import Pipeline
import Platform
package import TerminalViews

/// Runs a pipeline with observers, and shows their statistics.
package enum PictureRun {
  /// Runs the pipeline without showing anything.
  package static func run(_ configuration: Configuration) throws(RunError) -> RunOutcome {
    try Pipeline.run(configuration)
  }

  /// Runs the pipeline, and shows a view on the terminal meanwhile, on a thread of its own.
  package static func run<View: TerminalView & Sendable & ~Copyable>(
    _ configuration: Configuration, _ watch: RunWatch, on terminal: consuming Terminal,
    showing view: consuming sending View
  ) throws(RunError) -> RunOutcome {
    var configuration = configuration
    blockSignals()
    let thread = ScreenThread(terminal, view, watch)
    configuration.process.monitor = watch.makeMonitor { thread.start() }
    configuration.process.showsAccounting = false
    // With a captured log, the monitor isn't told of an attachment, which starts the thread otherwise.
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

  /// Waits until a key closes the view; closes it on a signal, as the run that handled signals has ended.
  private static func awaitClosing(_ watch: RunWatch) {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&signals, signal) }
    while !watch.isClosed {
      var time = timespec(tv_sec: 0, tv_nsec: 100_000_000)
      if unsafe sigtimedwait(&signals, nil, &time) > 0 { watch.close() }
    }
  }

  /// Blocks signals in this thread and those that it starts, so that they interrupt none of them.
  ///
  /// The run takes the signals that end it, and the view's thread the one for a change of the terminal's size.
  private static func blockSignals() {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH] { unsafe sigaddset(&signals, signal) }
    unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
  }
}
