/// What a thread does, in steps between which it sleeps: so that something else than a thread can have it go on.
package protocol SteppedLoop: ThreadLoop, ~Copyable {
  /// Does what can be done at once.
  mutating func step() -> LoopPause
}

/// What a loop wants after a step.
package enum LoopPause: Equatable, Sendable {
  /// The next step at once.
  case none
  /// To sleep until it is woken, or for no longer than so many nanoseconds; nil is for ever.
  case sleep(nanoseconds: Int64?)
  /// Nothing more: it has come to its end.
  case over
}

/// What has loops go on in place of threads of their own, all in one thread: a test's.
package protocol LoopDriver: AnyObject, Sendable {
  /// Takes over a loop that has yet to begin.
  func take(_ name: String, _ step: @escaping () -> LoopPause)

  /// Has loops go on while their end is waited for.
  ///
  /// - Returns: false if there is no use in waiting any longer.
  func goOn() -> Bool
}

extension LoopDriver {
  /// Takes over a loop that has yet to begin.
  package func take<Loop: SteppedLoop & ~Copyable>(_ name: String, _ loop: consuming Loop) {
    let kept = KeptLoop(loop)
    take(name) { kept.step() }
  }
}

/// A loop that is kept for its next step.
private final class KeptLoop<Loop: SteppedLoop & ~Copyable> {
  private var loop: Loop

  init(_ loop: consuming Loop) { self.loop = loop }

  func step() -> LoopPause { loop.step() }
}
