import Platform
import LogReading
import Transactions
import VarnishLog

/// A run that follows a live log, through restarts of the server that writes it.
///
/// ```
/// seeking ──▶ probing ──▶ reading ──▶ seeking …
///    ▲           └───────────┴───────────┘   the log is gone
/// ```
///
/// Each step looks at the log once and says what has happened.
struct Follower: ~Copyable {
  var run: Run
  private var instance: InstanceFollower
  var state = State.seeking(Search())
  /// Until when the first log must be there; nil waits without limit.
  private let deadline: Int64?
  private var hasRead = false

  /// The state of following.
  enum State: ~Copyable {
    /// There is no log to read.
    case seeking(Search)
    /// There is a log, but no record yet that tells its numbering.
    case probing(LogRing<WideRecords, NumberedRingHead>, looksLeft: Int)
    /// A log is being read.
    case turning(Following<LogRing<NarrowRecords, TurningRingHead>>)
    case narrow(Following<LogRing<NarrowRecords, NumberedRingHead>>)
    case wide(Following<LogRing<WideRecords, NumberedRingHead>>)
    case old20(Following<LegacyRing<Records20>>)
    case old21(Following<LegacyRing<Records21>>)
    case old30(Following<LegacyRing<Records30>>)
    /// Nothing more is to be read.
    case ended
  }

  /// The state of a search for a log.
  struct Search {
    /// Whether there was no log at the first look.
    var hasWaited = false
    /// The reason for the log's absence that the last message gave.
    var said: String?
  }

  /// Follows an instance that was found.
  init(_ run: consuming Run, _ instance: consuming InstanceFollower, by deadline: Int64?) {
    self.run = run
    self.instance = instance
    self.deadline = deadline
  }

  /// How often a log without records is looked at before a message says so.
  private static let silenceLooks = 40
  private static let noLogWords = "Failed to acquire log: No VSL chunk found (child not started ?):"

  /// Follows the log until the run is to end, and has the outputs finish.
  mutating func follow() throws(RunError) -> RunOutcome {
    while !run.isEnding {
      let event = try step()
      observe(after: event)
    }
    return end()
  }

  /// Looks at the log, deals with what has happened, and waits until it is time for the next look.
  @discardableResult
  mutating func step() throws(RunError) -> FollowEvent {
    var current = State.ended
    swap(&current, &state)
    switch consume current {
    case .seeking(let search): return try seek(search)
    case .probing(let ring, let looksLeft): return try probe(ring, looksLeft: looksLeft)
    case .turning(var following):
      let event = try read(&following)
      state = goesOn(after: event) ? .turning(following) : leave(following)
      return event
    case .narrow(var following):
      let event = try read(&following)
      state = goesOn(after: event) ? .narrow(following) : leave(following)
      return event
    case .wide(var following):
      let event = try read(&following)
      state = goesOn(after: event) ? .wide(following) : leave(following)
      return event
    case .old20(var following):
      let event = try read(&following)
      state = goesOn(after: event) ? .old20(following) : leave(following)
      return event
    case .old21(var following):
      let event = try read(&following)
      state = goesOn(after: event) ? .old21(following) : leave(following)
      return event
    case .old30(var following):
      let event = try read(&following)
      state = goesOn(after: event) ? .old30(following) : leave(following)
      return event
    case .ended:
      run.control.isEnding = true
      return .over
    }
  }

  /// Ends the run.
  ///
  /// If the log is gone, its open transactions will never be finished; if the run ends first, they still may
  /// be.
  mutating func end() -> RunOutcome {
    var current = State.ended
    swap(&current, &state)
    switch consume current {
    case .turning(let following): _ = leave(following)
    case .narrow(let following): _ = leave(following)
    case .wide(let following): _ = leave(following)
    case .old30(let following): _ = leave(following)
    case .old21(let following): _ = leave(following)
    case .old20(let following): _ = leave(following)
    case .seeking: break
    case .probing: break
    case .ended: break
    }
    return run.finish()
  }

  private func goesOn(after event: FollowEvent) -> Bool {
    switch event {
    case .lost, .over: false
    default: true
    }
  }

  /// Lets go of a log, and returns the next state.
  private mutating func leave<Source: LiveSource & ~Copyable>(
    _ following: consuming Following<Source>
  ) -> State {
    var following = following
    if instance.isStale, !run.input.existingOnly { run.flush(&following.reading, from: &following.ring) }
    run.endCheckpoint(following.reading, at: following.ring.nextPlace)
    run.end(&following.reading)
    run.report(incomplete: following.ring.incompleteCount, instance.path)
    run.publish()
    return run.input.existingOnly || run.isEnding ? .ended : .seeking(Search())
  }
}

// MARK: - Seeking a log

extension Follower {
  /// Looks for a log, and attaches to it.
  private mutating func seek(_ earlier: Search) throws(RunError) -> FollowEvent {
    var search = earlier
    instance.refresh(at: run.control.clock.now().steadyNanoseconds)
    // A log that was made while we waited, and any but the first, is read from its beginning: all of it is new.
    // The first is joined where it is now, unless its past was asked for.
    let existingOnly = run.input.existingOnly
    let usualStart: LogStart = !hasRead && !search.hasWaited && !existingOnly ? .tail : .head
    let start = run.checkpoint?.start ?? usualStart
    let ring: LiveRing?
    var fault: LogError?
    do throws(LogError) {
      ring = try instance.attach(start: start, stopsAtTail: existingOnly)
    } catch {
      ring = nil
      fault = error
    }
    if let ring { return try begin(ring, search) }
    let reason = fault?.description ?? Self.noLogWords + " \(instance.path) (\(instance.trouble))"
    if !hasRead, let problem = hopelessness(isFault: fault != nil) {
      run.control.fail(reason == search.said ? "no log within the time that -t allows" : reason + problem)
      run.control.isEnding = true
      return .over
    }
    if reason != search.said { run.control.messages.say(reason) }
    search.said = reason
    search.hasWaited = true
    state = .seeking(search)
    // When there will be a log depends on the cache, so the run counts as begun now.
    run.announceReady()
    rest()
    return .absent(reason)
  }

  /// Waits until it is time to look again.
  private mutating func rest() {
    run.begin(turnAt: run.control.clock.now())
    run.lookAtReload()
    if run.control.mailbox.wait(milliseconds: attachMilliseconds) { run.handleCommands() }
  }

  /// Why the wait for the first log is over, for a message; nil if it goes on.
  private func hopelessness(isFault: Bool) -> String? {
    let existingOnly = run.input.existingOnly
    if instance.isRefused || (isFault && existingOnly) { return "" }
    if existingOnly, let process = instance.deadManager {
      return "; its varnishd, process \(process), doesn't run, so none will come"
    }
    return run.control.isOver(deadline) ? "; not waited for any longer" : nil
  }

  private mutating func begin(_ ring: consuming LiveRing, _ search: Search) throws(RunError) -> FollowEvent {
    run.announceReady()
    let isNew = hasRead
    if search.said != nil || isNew { run.control.messages.say("Log reacquired") }
    hasRead = true
    switch consume ring {
    case .turning(let ring):
      guard let following = try makeFollowing(ring, .v40) else { return .over }
      state = .turning(following)
    case .narrow(let ring):
      guard let following = try makeFollowing(ring, .v41) else { return .over }
      state = .narrow(following)
    case .wide(let ring): state = .probing(ring, looksLeft: Self.silenceLooks)
    case .old30(let ring):
      guard let following = try makeFollowing(ring, LegacyRing<Records30>.numbering) else { return .over }
      state = .old30(following)
    case .old21(let ring):
      guard let following = try makeFollowing(ring, LegacyRing<Records21>.numbering) else { return .over }
      state = .old21(following)
    case .old20(let ring):
      guard let following = try makeFollowing(ring, LegacyRing<Records20>.numbering) else { return .over }
      state = .old20(following)
    }
    return .attached(isNew: isNew)
  }

  /// Looks for a record that tells which tags the log uses.
  private mutating func probe(
    _ ring: consuming LogRing<WideRecords, NumberedRingHead>, looksLeft: Int
  ) throws(RunError) -> FollowEvent {
    let probe = ring.probe()
    var found = probe.result
    if found == nil, run.input.existingOnly {
      found = run.input.assumedNumbering == .v90 ? .v90 : probe.fallback
    }
    if let numbering = found {
      guard let following = try makeFollowing(ring, numbering) else { return .over }
      state = .wide(following)
      return .read(isIdle: false)
    }
    if looksLeft == 1 {
      run.control.messages.say(
        "\(instance.path): the log has no record yet that tells its version; waiting for one")
    }
    instance.refresh(at: run.control.clock.now().steadyNanoseconds)
    if instance.isStale {
      state = .seeking(Search())
      return .lost
    }
    state = .probing(ring, looksLeft: max(0, looksLeft - 1))
    rest()
    return looksLeft == 1 ? .silent : .read(isIdle: true)
  }

  /// Gets the routes ready for a log; nil if one of them can't go on with it.
  private mutating func makeFollowing<Source: LiveSource & ~Copyable>(
    _ ring: consuming Source, _ numbering: TagNumbering
  ) throws(RunError) -> Following<Source>? {
    if let name = run.beginBinary(Source.Layout.self, numbering, single: ring.singleNumbering) {
      run.control.fail("the log's layout has changed: \(name) can't go on with it")
      run.control.isEnding = true
      return nil
    }
    var reading = try run.beginReading(Source.Layout.self, numbering, single: ring.singleNumbering)
    var ring = ring
    ring.includesUnattributed = reading.takesRecords
    ring.pick(reading.wish, TagTable(numbering))
    // The places that an earlier run noted can't be compared with those of the log now.
    if ring.resumption == .incomparable { run.checkpoint?.forgetLog() }
    run.attach(ring.incarnation, at: ring.nextPlace, overwritten: ring.overwrittenBytes, &reading)
    let rhythm = Rhythm(ringByteCount: ring.byteCount)
    if let monitor = run.control.configuration.process.monitor { monitor.attached(monitor) }
    return Following(ring: ring, reading: reading, rhythm: rhythm)
  }
}

// MARK: - Reading a log

extension Follower {
  private mutating func read<Source: LiveSource & ~Copyable>(
    _ following: inout Following<Source>
  ) throws(RunError) -> FollowEvent {
    let moment = run.control.clock.now()
    let now = moment.steadyNanoseconds
    run.begin(turnAt: moment)
    for way in 0..<following.reading.groupers.count { following.reading.groupers[way].nowNanoseconds = now }
    // Asked before the log is read: only if the log was replaced by then, its end mark is the end.
    let isStale = instance.isStale
    let endsAfterLog = run.control.configuration.process.monitor?.endsAfterLog ?? false
    let pause: Run.Pause
    let readBytesBefore = run.readBytes
    do throws(LogError) {
      pause = try run.pump(&following.ring, &following.reading)
    } catch {
      throw .log(error)
    }
    following.rhythm.hasRead(run.readBytes - readBytesBefore)
    run.lookAtOutputs()
    run.lookAtReload(&following.reading, from: &following.ring)
    let event = handle(pause, &following, isStale: isStale, endsAfterLog: endsAfterLog, now)
    guard goesOn(after: event) else { return event }
    var hasCaughtUp = false
    if case .idle = pause { hasCaughtUp = true }
    let isShown = following.rhythm.isTimeToPublish(now, hasCaughtUp: hasCaughtUp)
    if isShown { run.publish() }
    run.keepCheckpoint(
      &following.reading, at: following.ring.restartPlace, lagBytesMax: UInt64(following.ring.byteCount / 2))
    run.tellMonitor()
    if following.rhythm.isTimeToLook(now) {
      instance.refresh(at: now)
      if let incarnation = instance.takeRestart() {
        goOn(&following, as: incarnation)
        return .restarted
      }
      if hasCaughtUp, let words = instance.takeOrphaning(at: now) {
        run.control.messages.say("\(instance.path): \(words); waiting for another one")
        return .orphaned
      }
    }
    // One system call for each look at a quiet log.
    if hasCaughtUp {
      let milliseconds = following.rhythm.pause(now, awaitsPublication: !isShown)
      guard run.control.mailbox.wait(milliseconds: milliseconds) else { return event }
    }
    if run.handleCommands() { run.flush(&following.reading, from: &following.ring) }
    return event
  }

  /// Goes on with a log that another process writes from now on, in the same place.
  ///
  /// Transactions that the former process left unfinished will never be finished.
  private mutating func goOn<Source: LiveSource & ~Copyable>(
    _ following: inout Following<Source>, as incarnation: LogIncarnation
  ) {
    let place = following.ring.nextPlace
    run.control.messages.say("\(instance.path): another process writes the log now, which goes on")
    run.flush(&following.reading, from: &following.ring)
    run.endCheckpoint(following.reading, at: place)
    following.ring.noteTakeover()
    run.attach(incarnation, at: place, overwritten: 0, continues: true, &following.reading)
  }

  /// Acts on the reason why reading has paused.
  private mutating func handle<Source: LiveSource & ~Copyable>(
    _ pause: Run.Pause, _ following: inout Following<Source>, isStale: Bool, endsAfterLog: Bool, _ now: Int64
  ) -> FollowEvent {
    let messages = run.control.messages
    switch pause {
    case .busy:
      return .read(isIdle: false)
    case .idle:
      for way in 0..<following.reading.groupers.count { following.reading.groupers[way].expire() }
      run.takeFinished(&following.reading, from: &following.ring)
      if isStale {
        messages.say("Log abandoned (vsl)")
        if let successor = instance.successor { messages.say(successor) }
        return .lost
      }
      run.control.configuration.process.monitor?.noteCaughtUp(at: now)
      if endsAfterLog { run.control.isEnding = true }
      return .read(isIdle: true)
    case .end, .gap:
      run.flushSingles(at: following.ring.nextPlace)
      return .over
    case .overrun(let lostBytes):
      run.countLost(lostBytes)
      messages.say("Log overrun: \(lostBytes) bytes were overwritten before they were read")
      run.flush(&following.reading, from: &following.ring)
      return .overrun(lostBytes: lostBytes)
    case .damaged(let error):
      if run.input.existingOnly {
        run.control.fail(error.description)
      } else {
        messages.say(error.description)
      }
      run.forgetSingles()
      run.flush(&following.reading, from: &following.ring)
      return .damaged(error)
    case .oversized(let vxid, _):
      messages.say("transaction \(vxid) has more than \(GroupingOptions.storedBytesMax) bytes and no end")
      run.flush(&following.reading, from: &following.ring)
      return .oversized(vxid: vxid)
    }
  }
}
