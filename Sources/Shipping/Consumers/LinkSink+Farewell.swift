public import Platform
public import Spool

/// Letting go of a consumer, once it has taken everything or at once.
extension LinkSink {
  /// Lets the consumer take what it has been sent, and then gets another.
  ///
  /// Until it has ended, all waits for it.
  public func reopen(at now: Moment) throws(SinkError) {
    switch state {
    case .down:
      pauses.reset()
      state = .down(until: 0)
    case .up: farewell = farewell ?? .reopen
    case .pending, .finishing, .closed: return
    }
  }

  /// Lets the consumer take what is left, tells it that this was all, and waits for its end.
  /// - Throws: `SinkError` if it says that it has failed.
  public func close(at now: Moment) throws(SinkError) -> SinkProgress.Obstacle? {
    farewell = .close
    var obstacle: SinkProgress.Obstacle?
    if !hasNothingToWaitFor {
      obstacle = prepare(now)
      takeLeave(now)
      advance(now)
      if let refusal { throw refusal }
    }
    if hasNothingToWaitFor {
      link.release()
      state = .closed(nil)
      // That it works again is known only of a consumer that has come.
      return nil
    }
    guard case .closed(let failure) = state else { return obstacle ?? .absent }
    if let failure { throw SinkError(target: name, operation: "close", refusal: failure.reason) }
    forgetTrouble(now)
    return nil
  }

  /// Whether there is nothing to deliver, and nobody to tell.
  var hasNothingToWaitFor: Bool {
    switch state {
    case .down, .pending(_?): window.isEmpty
    case .pending(nil), .up, .finishing, .closed: false
    }
  }

  /// Ends the consumer, if that is in our power, and counts what it has taken until then.
  public func abandon() {
    switch state {
    case .closed: return
    case .pending, .up, .finishing:
      link.halt()
      confirm(nil)
    case .down: break
    }
    link.release()
    state = .closed(nil)
  }

  /// Tells a consumer that has taken everything that this was all, if it is to be let go of.
  func takeLeave(_ now: Moment) {
    guard farewell != nil, case .up = state, isGreeted, window.isSent else { return }
    confirm(now)
    guard window.isEmpty else { return }
    link.finish(at: now)
    state = .finishing
    hasten(now)
  }

  func endFarewell(_ end: LinkEnd, _ now: Moment) {
    let doubt = doubt(end)
    if doubt > 0 { warn("\(name): \(end.reason), \(trouble.counted(doubt)) unconfirmed") }
    link.release()
    if farewell == .close {
      state = .closed(end.isFailure ? end : nil)
      hasNews = true
      return
    }
    farewell = nil
    if end.isFailure { warn("\(name): \(end.reason), though it has taken everything") }
    goDown(for: 0, now)
    advance(now)
  }
}
