public import Platform
import Spool

/// Letting go of a consumer, once it has taken everything or at once.
extension LinkSink {
  /// Lets the consumer take what it has been sent, and then gets another.
  ///
  /// Until it has ended, all waits for it.
  public func reopen(at now: Moment) throws(SystemError) {
    switch state {
    case .down(_, let isAwaited):
      pauses.reset()
      state = .down(until: 0, isAwaited: isAwaited)
    case .up(let consumer) where consumer.isOpen && intent == .serve: intent = .reopen
    case .up, .coming, .leaving, .closed, .refused: return
    }
  }

  /// Lets the consumer take what is left, tells it that this was all, and waits for its end.
  /// - Throws: `SystemError` if it says that it has failed.
  public func close(at now: Moment) throws(SystemError) -> SinkProgress.Obstacle? {
    intent = .close
    var obstacle: SinkProgress.Obstacle?
    if !hasNothingToWaitFor {
      obstacle = prepare(now)
      takeLeave(now)
      advance(now)
      if case .refused(let error) = state { throw error }
    }
    if hasNothingToWaitFor {
      link.release()
      state = .closed(nil, isNew: false)
      // That it works again is known only of a consumer that has come.
      return nil
    }
    guard case .closed(let failure, _) = state else { return obstacle ?? .absent }
    if let failure { throw SystemError(operation: "close", path: name, problem: failure.reason) }
    forgetTrouble(now)
    return nil
  }

  /// Whether there is nothing to deliver, and no consumer to be told that this was all.
  var hasNothingToWaitFor: Bool {
    switch state {
    case .down, .coming(_?), .refused: window.isEmpty
    case .up(let consumer):
      if case .busy(_?) = consumer.readiness { window.isEmpty } else { false }
    case .coming(nil), .leaving, .closed: false
    }
  }

  /// Ends the consumer, if that is in our power, and counts what it has taken until then.
  public func abandon() {
    switch state {
    case .closed: return
    case .coming, .up, .leaving:
      link.halt()
      confirm(nil)
    case .down, .refused: break
    }
    link.release()
    state = .closed(nil, isNew: false)
  }

  /// Tells a consumer that has taken everything that this was all, if it is to be let go of.
  func takeLeave(_ now: Moment) {
    guard intent != .serve, openDescriptor != nil, consumer?.isGreeted == true, window.isSent
    else { return }
    confirm(now)
    guard window.isEmpty else { return }
    link.finish(at: now)
    if let consumer { state = .leaving(consumer) }
    hasten(now)
  }

  func endFarewell(_ end: LinkEnd, _ now: Moment) {
    let doubt = doubt(end)
    if doubt > 0 { warn("\(name): \(end.reason), \(trouble.counted(doubt)) unconfirmed") }
    link.release()
    if intent == .close {
      state = .closed(end.isFailure ? end : nil, isNew: true)
      return
    }
    intent = .serve
    if end.isFailure { warn("\(name): \(end.reason), though it has taken everything") }
    goDown(for: 0, now)
    advance(now)
  }
}
