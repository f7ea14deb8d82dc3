/// Serves consumers that come and go, one at a time: a command, a peer, the reader of a named pipe.
///
/// Records that a consumer hasn't taken when it goes are sent again to the next one or given up, as
/// `RestartPolicy` says; a consumer that stays, but takes nothing, is waited for. Nothing of that is an error:
/// the only one is a consumer that took everything and said at its end that it failed.
public final class LinkSink: Sink {
  private enum State {
    /// Nobody is there; the next attempt to change that is due at some time.
    case down(until: Int64)
    /// Somebody is there, or about to be, but can't be sent anything at present.
    case pending(writable: Int32?)
    /// Somebody is there.
    case up(Int32)
    /// Somebody has got everything, and was told that this was all.
    case finishing
    /// There won't be anybody any more.
    case closed(LinkEnd?)
  }

  /// Why the consumer is to be let go of, as soon as it has taken everything.
  private enum Farewell {
    case reopen, close
  }

  /// How long a consumer must have been there for its predecessors' failures to be forgotten.
  static let settledNanoseconds: Int64 = 10_000_000_000
  private static let pauseNanosecondsMin: Int64 = 100_000_000
  private static let pulseNanoseconds: ClosedRange<Int64> = 1_000_000...1_000_000_000

  private let link: any Link
  private let options: LinkOptions
  private let warn: @Sendable (String) -> Void

  private var state = State.down(until: 0)
  private var farewell: Farewell?
  private var window = SendWindow()
  /// What the consumer is still to get before the first record; nil as long as that isn't known.
  private var header: ArraySlice<UInt8>?
  private var trouble: ConsumerTrouble
  /// Since when the consumer has been there, and whether it has taken anything.
  private var upSince: Int64?
  private var hasTaken = false
  /// Whether somebody who wanted to go on has been told to wait for the next attempt.
  private var hasRefused = false
  /// Whether somebody has come, or all is over, and those who may be waiting for that haven't been told.
  private var hasNews = false
  private var pauses: Backoff
  /// When to look next how much the consumer has taken: nothing tells of that.
  private var pulses = Backoff(nanoseconds: pulseNanoseconds)
  private var nextPulse: Int64 = 0

  /// What the consumers had not taken, where that is given up.
  public private(set) var abandoned = Tally.zero

  init(
    _ link: any Link, _ options: LinkOptions, pauseNanoseconds: ClosedRange<Int64>? = nil,
    warn: @escaping @Sendable (String) -> Void
  ) {
    self.link = link
    self.options = options
    self.warn = warn
    trouble = ConsumerTrouble(
      drops: options.onRestart == .drop, noun: options.binary == nil ? "line" : "record")
    pauses = Backoff(nanoseconds: pauseNanoseconds ?? Self.pauseNanosecondsMin...link.pauseNanosecondsMax)
  }

  /// The name for messages.
  public var name: String { link.name }

  /// What was sent, or is to be sent again, and isn't known to have been taken.
  public var unfinished: Tally { window.contents }

  /// The same; nothing where what may have arrived must not be sent again.
  public var unfinishedRecords: RecordList? { options.onRestart == .resend ? window.records : nil }

  /// Readable when the consumer has gone.
  public var wakeDescriptor: Int32? { link.wakeDescriptor }

  // MARK: Records

  /// Sends whole records, as far as there is somebody who has room for them.
  public func write(_ batch: RecordBatch, at now: Moment) throws(SinkError) -> SinkProgress {
    if let obstacle = prepare(now) { return SinkProgress(byteCount: 0, obstacle: obstacle) }
    guard farewell == nil, case .up(let descriptor) = state else { return refusal }
    // A reader that ends between two of its reads has then seen whole records only.
    let piece = link.pieceByteCount(unread: confirm(now))
    let part = window.fitting(batch.prefix(max(1, batch.recordCount(within: piece))))
    guard part.count > 0 else { return refusal }
    guard case .sent(let count) = link.send(part.bytes, at: now) else {
      advance(now)
      return refusal
    }
    guard count > 0 else { return SinkProgress(byteCount: 0, obstacle: .unwritable(descriptor)) }
    let begun = part.prefix(part.recordCount(reaching: count))
    window.append(begun)
    window.markSent(count)
    hasten(now)
    return SinkProgress(
      byteCount: begun.byteCount, obstacle: count < part.byteCount ? .unwritable(descriptor) : nil)
  }

  private var refusal: SinkProgress {
    hasRefused = true
    return SinkProgress(byteCount: 0, obstacle: .absent)
  }

  /// Makes sure that new records can be sent, or says what stands in the way.
  private func prepare(_ now: Moment) -> SinkProgress.Obstacle? {
    if case .down = state, hasRefused {
      // Whoever comes back before the time has a reason, such as the end of the records.
      state = .down(until: 0)
      advance(now)
    }
    pump(now)
    switch state {
    case .down:
      hasRefused = true
      return .absent
    case .up(let descriptor): return isGreeted && window.isSent ? nil : .unwritable(descriptor)
    case .pending(let descriptor?): return .unwritable(descriptor)
    case .pending(nil), .finishing, .closed: return .absent
    }
  }

  /// Sends what comes before all new records: the header, then what is sent again or was cut short.
  private func pump(_ now: Moment) {
    guard case .up = state else { return }
    if header == nil, options.binary.map({ $0.current != nil }) ?? true {
      header = (options.binary?.header ?? options.header)[...]
    }
    while let rest = header, !rest.isEmpty {
      guard let count = send(now, rest.withUnsafeBytes { link.send($0, at: now) }) else { return }
      header = rest.dropFirst(count)
    }
    while !window.isSent {
      let piece = link.pieceByteCount(unread: confirm(now))
      guard let count = send(now, link.send(window.unsent(byteCountMax: piece), at: now)) else { return }
      window.markSent(count)
    }
  }

  /// Whether nothing must be sent before the first record, as far as that is known.
  private var isGreeted: Bool { header?.isEmpty ?? true }

  /// How many bytes were sent; nil if there is no use in going on.
  private func send(_ now: Moment, _ progress: LinkProgress) -> Int? {
    switch progress {
    case .sent(0): return nil
    case .sent(let count):
      hasten(now)
      return count
    case .broken:
      advance(now)
      return nil
    }
  }

  /// Finds out what the consumer has taken.
  ///
  /// - Returns: How many bytes it has not.
  @discardableResult
  private func confirm(_ now: Moment?) -> Int {
    let unread = link.unreadByteCount()
    let former = window.contents
    window.confirm(unreadByteCount: min(unread, window.sentByteCount))
    if window.contents != former {
      hasTaken = true
      if let now { hasten(now) }
    }
    return unread
  }

  /// Looks often at what the consumer takes while it takes something.
  private func hasten(_ now: Moment) {
    pulses.reset()
    nextPulse = min(nextPulse, now.steadyNanoseconds + Self.pulseNanoseconds.lowerBound)
  }

  // MARK: Consumers

  /// Looks after the consumer: gets one, notices that it has gone, sends what is left, and hears what was taken.
  public func tick(at now: Moment) throws(SinkError) -> Int64? {
    advance(now)
    pump(now)
    takeLeave(now)
    if now.steadyNanoseconds >= nextPulse {
      if case .up = state { confirm(now) }
      nextPulse = now.steadyNanoseconds + pulses.next()
    }
    let settling = settle(now)
    // Whoever was told that nobody is there has nothing else that would wake them.
    defer { hasNews = false }
    if hasNews { return 0 }
    switch state {
    case .down(let time): return max(0, time - now.steadyNanoseconds)
    case .pending, .finishing: return nextPulse - now.steadyNanoseconds
    case .closed: return nil
    case .up:
      let isDone = window.isEmpty && isGreeted && farewell == nil && wakeDescriptor != nil
      return isDone ? settling : nextPulse - now.steadyNanoseconds
    }
  }

  /// Takes notice of what has become of the consumer, and gets one when it is time.
  private func advance(_ now: Moment) {
    switch state {
    case .closed: return
    case .down(let time):
      guard now.steadyNanoseconds >= time else { return }
      header = nil
      hasten(now)
      note(link.begin(at: now), now)
    case .pending, .up, .finishing:
      note(link.condition(at: now), now)
    }
  }

  private func note(_ condition: LinkCondition, _ now: Moment) {
    if case .finishing = state {
      if case .ended(let end) = condition { endFarewell(end, now) }
      return
    }
    switch condition {
    case .absent: goDown(for: pauses.next(), now)
    case .pending(let descriptor): state = .pending(writable: descriptor)
    case .open(let descriptor):
      state = .up(descriptor)
      guard upSince == nil else { return }
      upSince = now.steadyNanoseconds
      hasNews = true
    case .ended(let end): lose(end, now)
    }
  }

  private func goDown(for nanoseconds: Int64, _ now: Moment) {
    state = .down(until: now.steadyNanoseconds + nanoseconds)
    hasRefused = false
    upSince = nil
    hasTaken = false
  }

  private func lose(_ end: LinkEnd, _ now: Moment) {
    confirm(nil)
    if farewell == .close, window.isEmpty { return endFarewell(end, now) }
    link.release()
    // Whoever comes next is new.
    if farewell == .reopen { farewell = nil }
    if hasSettled(now) { forgetTrouble(now) }
    let left = window.contents
    let isSent = upSince != nil && left.records > 0
    switch options.onRestart {
    case .resend: window.rewind()
    case .drop: abandoned += window.drop()
    }
    let pause = pauses.next()
    goDown(for: pause, now)
    guard isSent || !end.isUsual else { return }
    if let text = trouble.add(end, records: isSent ? left.records : 0, pause: pause, at: now) {
      warn("\(name): \(text)")
    }
  }

  /// Says that the consumer works, once it has done so for a while.
  ///
  /// - Returns: In how many nanoseconds that may be.
  private func settle(_ now: Moment) -> Int64? {
    if hasSettled(now) { forgetTrouble(now) }
    guard trouble.isThere, let upSince, hasTaken else { return nil }
    return upSince + Self.settledNanoseconds - now.steadyNanoseconds
  }

  private func hasSettled(_ now: Moment) -> Bool {
    guard let upSince, hasTaken else { return false }
    return now.steadyNanoseconds - upSince >= Self.settledNanoseconds
  }

  private func forgetTrouble(_ now: Moment) {
    pauses.reset()
    if let text = trouble.end(at: now) { warn("\(name): \(text)") }
  }

  // MARK: Letting go

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
    }
    if hasNothingToWaitFor {
      link.release()
      state = .closed(nil)
    }
    guard case .closed(let failure) = state else { return obstacle ?? .absent }
    if let failure { throw SinkError(target: name, operation: "close", refusal: failure.reason) }
    forgetTrouble(now)
    return nil
  }

  /// Whether there is nothing to deliver, and nobody to tell.
  private var hasNothingToWaitFor: Bool {
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
  private func takeLeave(_ now: Moment) {
    guard farewell != nil, case .up = state, isGreeted, window.isSent else { return }
    confirm(now)
    guard window.isEmpty else { return }
    link.finish(at: now)
    state = .finishing
    hasten(now)
  }

  private func endFarewell(_ end: LinkEnd, _ now: Moment) {
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
