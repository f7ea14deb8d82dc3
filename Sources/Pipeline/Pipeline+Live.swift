import Spool
import Glibc
import LogReading
import Platform
import Rendering
import Shipping
import Transactions
import VarnishLog

/// Runs that follow a live log, through restarts of whoever writes it.
extension Pipeline {
  mutating func runLive(_ name: String?, _ sink: sending any Sink) throws(RunError) {
    let deadline = options.attachSeconds.map { Moment.now().steadyNanoseconds + Int64(min($0, 1e9) * 1e9) }
    var follower = try attach(name, by: deadline)
    try start(sink, canWait: false)
    var isFirst = true
    while !isEnding, output?.failure == nil {
      guard let ring = waitForLog(&follower, isFirst: isFirst, by: deadline) else { break }
      isFirst = false
      switch consume ring {
      case .narrow(var ring): try follow(&ring, numbering: .v41, &follower)
      case .wide(var ring):
        guard let numbering = waitForNumbering(ring, &follower) else { continue }
        try follow(&ring, numbering: numbering, &follower)
      }
      if options.existingOnly { break }
    }
    finish()
  }

  // MARK: Attaching

  /// How often an instance or a log that isn't there is looked for.
  private static var attachMilliseconds: Int32 { 250 }

  /// Finds the instance, and waits for it as long as `-t` allows; for ever only if that was said.
  private mutating func attach(
    _ name: String?, by deadline: Int64?
  ) throws(RunError) -> InstanceFollower {
    var said: String?
    while true {
      let path: String
      do {
        path = try InstanceName(name).path
      } catch {
        throw .instance(error)
      }
      var follower = InstanceFollower(path: path)
      follower.refresh()
      if follower.hasManager { return follower }
      if follower.isRefused || isOver(deadline) { throw .noInstance(follower.trouble) }
      if deadline == nil, follower.trouble != said {
        messages.say("waiting for varnishd: \(follower.trouble)")
        said = follower.trouble
      }
      if signals.wait(milliseconds: Self.attachMilliseconds) { handleSignals() }
      if isEnding { throw .interrupted(follower.trouble) }
    }
  }

  private func isOver(_ deadline: Int64?) -> Bool {
    deadline.map { Moment.now().steadyNanoseconds >= $0 } ?? false
  }

  /// Waits until there is a log, and maps it; nil if the run is to end.
  ///
  /// - Parameter deadline: when the first log must be there.
  private mutating func waitForLog(
    _ follower: inout InstanceFollower, isFirst: Bool, by deadline: Int64?
  ) -> LiveRing? {
    var hasWaited = false
    var said: String?
    while !isEnding {
      follower.refresh()
      // A log that was made while we waited, and any but the first, is read from its beginning: all of it
      // is new. The first is joined where it is now, unless its past was asked for.
      let start: LogStart = isFirst && !hasWaited && !options.existingOnly ? .tail : .head
      let reason: String
      var isFault = false
      do throws(LogError) {
        if let ring = try follower.attach(start: start, stopsAtTail: options.existingOnly) {
          announceReady()
          if said != nil || !isFirst { messages.say("Log reacquired") }
          return ring
        }
        reason = Self.noLogWords + " \(follower.path) (\(follower.trouble))"
      } catch {
        reason = error.description
        isFault = true
      }
      if isFirst, let problem = hopelessness(follower, isFault: isFault, by: deadline) {
        messages.say(reason == said ? "no log within the time that -t allows" : reason + problem)
        status = ExitStatus.failure
        return nil
      }
      if reason != said { messages.say(reason) }
      said = reason
      hasWaited = true
      // How long that takes is up to the cache, and not to be waited for.
      announceReady()
      if signals.wait(milliseconds: Self.attachMilliseconds) { handleSignals() }
    }
    return nil
  }

  /// How often a log without records is looked at before that is said.
  private static var silenceLooks: Int { 40 }

  private static var noLogWords: String {
    "Failed to acquire log: No VSL chunk found (child not started ?):"
  }

  /// Why the first log isn't waited for any longer; nil if it is.
  private func hopelessness(
    _ follower: borrowing InstanceFollower, isFault: Bool, by deadline: Int64?
  ) -> String? {
    if follower.isRefused || (isFault && options.existingOnly) { return "" }
    if options.existingOnly, let process = follower.deadManager {
      return "; its varnishd, process \(process), doesn't run, so none will come"
    }
    return isOver(deadline) ? "; not waited for any longer" : nil
  }

  /// Waits for a record that tells which tags the log uses; nil if the log is gone before.
  private mutating func waitForNumbering(
    _ ring: borrowing LogRing<WideRecords>, _ follower: inout InstanceFollower
  ) -> TagNumbering? {
    var patience = Self.silenceLooks
    while !isEnding {
      patience -= 1
      if patience == 0 {
        messages.say("\(follower.path): the log has no record yet that tells its version; waiting for one")
      }
      let probe = ring.probe()
      if let numbering = probe.result { return numbering }
      if options.existingOnly {
        let assumed = options.compatibility.map { TagNumbering(of: $0) }
        return assumed == .v90 ? .v90 : probe.fallback
      }
      follower.refresh()
      if follower.isStale { return nil }
      if signals.wait(milliseconds: Self.attachMilliseconds) { handleSignals() }
    }
    return nil
  }

  // MARK: Following

  /// Reads a log until it is gone, the run is to end, or, with `-d`, all of it was read.
  private mutating func follow<Layout: RecordLayout>(
    _ ring: inout LogRing<Layout>, numbering: TagNumbering, _ follower: inout InstanceFollower
  ) throws(RunError) {
    ring.includesUnattributed = takesRecordsSingly
    if let binaryContent, !binaryContent.begin(BinaryLogFile.kind(Layout.self, numbering)) {
      messages.say("the log's layout has changed: \(output?.name ?? "the output") can't go on with it")
      status = ExitStatus.failure
      isEnding = true
      return
    }
    try prepareLane(for: numbering)
    var grouper = Grouper<Layout>(
      options: groupingOptions(for: numbering), tags: TagTable(numbering))
    var strays = StrayPieces()
    var rhythm = Rhythm(ringByteCount: ring.byteCount)
    if let monitor = options.monitor { monitor.attached(monitor) }
    reading: while !isEnding, output?.failure == nil {
      let now = Moment.now().steadyNanoseconds
      grouper.nowNanoseconds = now
      // Asked before the log is read: only if it was replaced by then, its end mark is the end.
      let isStale = follower.isStale
      let endsAfterLog = options.monitor?.endsAfterLog ?? false
      let pause: Pause
      do throws(LogError) {
        pause = try pump(&ring, &grouper, &strays)
      } catch {
        throw .log(error)
      }
      switch pause {
      case .busy: rhythm.wasBusy()
      case .idle:
        grouper.expire()
        takeFinished(&grouper, from: &ring)
        if isStale {
          messages.say("Log abandoned (vsl)")
          break reading
        }
        options.monitor?.noteCaughtUp(at: now)
        if endsAfterLog { isEnding = true }
      case .end:
        break reading
      case .overrun(let lostBytes):
        accounting.lostBytes += lostBytes
        messages.say("Log overrun: \(lostBytes) bytes were overwritten before they were read")
        flush(&grouper, from: &ring)
      case .damaged(let error):
        messages.say(error.description)
        if options.existingOnly { status = ExitStatus.failure }
        flush(&grouper, from: &ring)
      case .oversized(let vxid, _):
        messages.say(
          "transaction \(vxid) has more than \(GroupingOptions.storedBytesMax) bytes and no end")
        flush(&grouper, from: &ring)
      }
      if rhythm.isTimeToPublish(now, after: pause) { lane?.publish() }
      if let monitor = options.monitor, let output {
        monitor.note(account(), waitingBytes: output.usage.waiting.bytes)
      }
      if rhythm.isTimeToLook(now) { follower.refresh() }
      // One system call for each look at a quiet log.
      if case .idle = pause, !signals.wait(milliseconds: rhythm.pause()) { continue }
      if handleSignals() { flush(&grouper, from: &ring) }
    }
    // What a vanished log left unfinished will never be finished; what a run leaves at its own end is not
    // known to be.
    if follower.isStale, !options.existingOnly { flush(&grouper, from: &ring) }
    count(grouper.statistics)
    grouper.discardOpen()
    lane?.publish()
  }

  private mutating func flush<Layout: RecordLayout>(
    _ grouper: inout Grouper<Layout>, from ring: inout LogRing<Layout>
  ) {
    grouper.flush()
    takeFinished(&grouper, from: &ring)
  }
}

/// When a quiet log is looked at again, and when its directory.
struct Rhythm {
  private var milliseconds: Int32 = 1
  private let millisecondsMax: Int32
  private var nextLook = Int64.min
  private var nextPublication = Int64.min

  private static let lookNanoseconds: Int64 = 1_000_000_000
  private static let publicationNanoseconds: Int64 = 50_000_000

  /// A small ring is overwritten sooner and must be looked at more often.
  init(ringByteCount: Int) {
    millisecondsMax = Int32(min(100, max(10, ringByteCount / 800_000)))
  }

  mutating func wasBusy() { milliseconds = 1 }

  /// How long to sleep now; twice as long each time, as long as nothing comes.
  mutating func pause() -> Int32 {
    defer { milliseconds = min(milliseconds * 2, millisecondsMax) }
    return milliseconds
  }

  /// Whether lines should be shown to the output now.
  ///
  /// While there is a lot to do, full blocks go by themselves and waking the output for less would be a
  /// waste.
  mutating func isTimeToPublish(_ now: Int64, after pause: Pipeline.Pause) -> Bool {
    if case .busy = pause, now < nextPublication { return false }
    nextPublication = now + Self.publicationNanoseconds
    return true
  }

  /// Whether the directory should be looked at.
  mutating func isTimeToLook(_ now: Int64) -> Bool {
    guard now >= nextLook else { return false }
    nextLook = now + Self.lookNanoseconds
    return true
  }
}
