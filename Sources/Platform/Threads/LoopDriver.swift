/// The work of a thread, in steps between which it sleeps, so that a driver can run it in place of a thread.
package protocol SteppedLoop: ThreadLoop, ~Copyable {
  /// Does everything that can be done without waiting.
  mutating func step() -> LoopPause
}

/// What a loop needs after a step.
package enum LoopPause: Equatable, Sendable {
  /// The next step at once.
  case none
  /// To sleep until it is woken, or at most this many nanoseconds; nil sets no limit.
  case sleep(nanoseconds: Int64?)
  /// No more steps: the loop has ended.
  case over
}

/// Runs loops in place of their threads, all in one thread: a test's.
package protocol LoopDriver: AnyObject, Sendable {
  /// Takes over a loop that hasn't started.
  func take(_ name: String, _ step: @escaping () -> LoopPause)

  /// Runs loops while a caller waits for their end.
  ///
  /// - Returns: false if further waiting is of no use.
  func goOn() -> Bool
}

extension LoopDriver {
  /// Takes over a loop that hasn't started.
  package func take<Loop: SteppedLoop & ~Copyable>(_ name: String, _ loop: consuming Loop) {
    let kept = KeptLoop(loop)
    take(name) { kept.step() }
  }
}

/// Holds a loop between its steps.
private final class KeptLoop<Loop: SteppedLoop & ~Copyable> {
  private var loop: Loop

  init(_ loop: consuming Loop) { self.loop = loop }

  func step() -> LoopPause { loop.step() }
}
