import LogReading
import Platform
import VarnishLog

/// Noting for the status how a live log is followed.
extension Follower {
  /// Notes the outcome of a step for the status, and publishes the status if that is due.
  mutating func observe(after event: FollowEvent) {
    guard run.observation?.isDue(at: run.control.clock.now().steadyNanoseconds) == true else { return }
    let path = run.standing.path
    run.standing = LogStanding(path: path, state: standingState, ring: ring, isIdle: event.isIdle)
    run.observe()
  }

  private var standingState: LogStanding.State {
    switch state {
    case .seeking: .seeking
    case .probing: .probing
    case .turning: .reading
    case .narrow: .reading
    case .wide: .reading
    case .old20: .reading
    case .old21: .reading
    case .old30: .reading
    case .ended: .ending
    }
  }

  private var ring: LogStanding.Ring? {
    switch state {
    case .turning(let following): LogStanding.Ring(following.ring)
    case .narrow(let following): LogStanding.Ring(following.ring)
    case .wide(let following): LogStanding.Ring(following.ring)
    case .old20(let following): LogStanding.Ring(following.ring)
    case .old21(let following): LogStanding.Ring(following.ring)
    case .old30(let following): LogStanding.Ring(following.ring)
    // Before anything is read, there is no lag.
    case .seeking: nil
    case .probing: nil
    case .ended: nil
    }
  }
}

extension FollowEvent {
  /// Whether there was nothing to read at the end of the step.
  fileprivate var isIdle: Bool {
    switch self {
    case .absent, .silent, .lost, .over: true
    case .read(let isIdle): isIdle
    case .attached, .overrun, .damaged, .oversized, .restarted, .orphaned: false
    }
  }
}
