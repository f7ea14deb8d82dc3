public import Platform
import Spool

/// Ends a consumer, either once it has taken everything or at once.
extension LinkSink {
  /// Has the consumer end after it has taken all that it was sent, and then gets another.
  ///
  /// Until it has ended, no more entries are sent.
  public func reopen(at now: Moment) throws(SystemError) {
    switch state {
    case .down(_, let isAwaited):
      pauses.reset()
      state = .down(until: 0, isAwaited: isAwaited)
    case .up(let consumer) where consumer.isOpen && intent == .serve: intent = .reopen
    case .up, .coming, .leaving, .closed, .refused: return
    }
  }

  /// Has the consumer take the remaining entries, tells it that nothing more comes, and waits for its end.
  /// - Throws: `SystemError` if the consumer reports that it has failed.
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
      // Not reported as working again: no consumer has come since the trouble.
      return nil
    }
    guard case .closed(let failure, _) = state else { return obstacle ?? .absent }
    if let failure { throw SystemError(operation: "close", path: name, problem: failure.reason) }
    forgetTrouble(now)
    return nil
  }

  /// Whether there is nothing to deliver, and no consumer to be told that nothing more comes.
  var hasNothingToWaitFor: Bool {
    switch state {
    case .down, .coming(_?), .refused: window.isEmpty
    case .up(let consumer):
      if case .busy(_?) = consumer.readiness { window.isEmpty } else { false }
    case .coming(nil), .leaving, .closed: false
    }
  }

  /// Ends the consumer, as far as we can, and counts what it has taken until then.
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

  /// If the consumer is to end, tells it that nothing more comes, once it has taken everything.
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
