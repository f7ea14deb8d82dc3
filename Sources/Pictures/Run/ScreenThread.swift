import Glibc
import Platform
import TerminalViews

/// The thread that owns the terminal: started when there is something to show, and joined at the end.
final class ScreenThread<View: TerminalView & ~Copyable>: Sendable {
  private struct Loop: ThreadLoop, ~Copyable {
    var screen: ViewScreen
    var view: View
    let watch: RunWatch

    mutating func run() {
      _ = screen.run(&view)
      watch.close()
      if !watch.hasEnded { watch.leave() }
    }
  }

  private let loop: Guarded<Loop?>
  private let thread = Guarded<pthread_t?>(nil)
  private let watch: RunWatch

  init(_ terminal: consuming Terminal, _ view: consuming sending View, _ watch: RunWatch) {
    self.watch = watch
    loop = Guarded(Loop(screen: ViewScreen(terminal, endsWithSignals: false), view: view, watch: watch))
  }

  /// Starts the thread; further calls do nothing.
  func start() {
    guard let loop = loop.withLock({ $0.take() }) else { return }
    let watch = watch
    guard let started = try? WorkerThread.start(loop) else {
      MessageQueue.shared.say("the system has no more threads", as: nil)
      watch.close()
      return watch.leave()
    }
    thread.withLock { $0 = started }
  }

  /// Waits for the thread's end, if it was started.
  func join() {
    if let thread = thread.withLock({ $0.take() }) { pthread_join(thread, nil) }
  }
}
