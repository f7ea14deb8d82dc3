public import Platform
public import Spool

/// Serves consumers that come and go, one at a time: a command, a peer, the reader of a named pipe.
///
/// Entries that a consumer hasn't taken when it goes are sent again to the next one or given up, as
/// `RestartPolicy` says; a consumer that stays, but takes nothing, is waited for. Nothing of that is an error:
/// the only one is a consumer that took everything and said at its end that it failed.
public final class LinkSink: Sink {
  enum State {
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
  enum Farewell {
    case reopen, close
  }

  /// How long a consumer must have been there for its predecessors' failures to be forgotten.
  static let settledNanoseconds: Int64 = 10_000_000_000
  private static let pauseNanosecondsMin: Int64 = 100_000_000
  private static let pulseNanoseconds: ClosedRange<Int64> = 1_000_000...1_000_000_000

  let link: any Link
  let options: LinkOptions
  let warn: @Sendable (String) -> Void

  var state = State.down(until: 0)
  var farewell: Farewell?
  var window = SendWindow()
  /// What the consumer is still to get before the first entry, each piece by itself; nil as long as that isn't
  /// known.
  var header: [ArraySlice<UInt8>]?
  var trouble: ConsumerTrouble
  /// Since when the consumer has been there, and whether it has taken anything.
  var upSince: Int64?
  var hasTaken = false
  /// Whether somebody who wanted to go on has been told to wait for the next attempt.
  var hasRefused = false
  /// Whether somebody has come, or all is over, and those who may be waiting for that haven't been told.
  var hasNews = false
  var pauses: Backoff
  /// When to look next how much the consumer has taken: nothing tells of that.
  var pulses = Backoff(nanoseconds: pulseNanoseconds)
  var nextPulse: Int64 = 0

  /// What the consumer has taken that it may still lose.
  var doubtful = DoubtfulTail()
  /// What was given up and hasn't been asked for.
  var givenUp: [GivenUp] = []
  /// Why there won't be a consumer.
  var refusal: SinkError?
  var hasSaidTooLarge = false

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

  /// In front of what was sent, or is to be sent again, and isn't known to have been taken.
  public var settled: SpoolPlace? { window.start }

  /// What isn't settled; nothing where what may have arrived must not be sent again.
  public var unsettledEntries: EntryList? { options.onRestart == .resend ? window.entries : nil }

  /// What consumers had not taken where that isn't sent again, what they can't take, and what they may have lost.
  public func takeGivenUp() -> [GivenUp] {
    defer { givenUp = [] }
    return givenUp
  }

  /// Readable when the consumer has gone.
  public var wakeDescriptor: Int32? { link.wakeDescriptor }

  // MARK: Entries

  /// Sends whole entries, as far as there is somebody who has room for them.
  public func write(_ batch: EntryBatch, at now: Moment) throws(SinkError) -> SinkProgress {
    let obstacle = prepare(now)
    if let refusal { throw refusal }
    if let obstacle { return SinkProgress(byteCount: 0, obstacle: obstacle) }
    guard farewell == nil, case .up(let descriptor) = state else { return absence }
    guard window.form == .line else { return writeInForm(batch, descriptor, now) }
    // A reader that ends between two of its reads has then seen whole entries only.
    let piece = link.pieceByteCount(unread: confirm(now))
    let part = window.fitting(batch.prefix(max(1, batch.entryCount(within: piece))))
    guard part.count > 0 else { return absence }
    guard case .sent(let count) = link.send(part.bytes, at: now) else {
      advance(now)
      return absence
    }
    guard count > 0 else { return SinkProgress(byteCount: 0, obstacle: .unwritable(descriptor)) }
    let begun = part.prefix(part.entryCount(reaching: count))
    window.append(begun)
    window.markSent(count)
    hasten(now)
    return SinkProgress(
      byteCount: begun.byteCount, obstacle: count < part.byteCount ? .unwritable(descriptor) : nil)
  }

  /// The same for entries that are sent in another form than they have.
  func writeInForm(_ batch: EntryBatch, _ descriptor: Int32, _ now: Moment) -> SinkProgress {
    confirm(now)
    let part = window.fitting(batch)
    guard part.count > 0 else { return absence }
    window.append(part)
    pump(now)
    return SinkProgress(
      byteCount: part.byteCount, obstacle: window.isSent ? nil : .unwritable(descriptor))
  }

  var absence: SinkProgress {
    hasRefused = true
    return SinkProgress(byteCount: 0, obstacle: .absent)
  }

  /// Makes sure that new entries can be sent, or says what stands in the way.
  func prepare(_ now: Moment) -> SinkProgress.Obstacle? {
    if case .down = state, hasRefused {
      // Whoever comes back before the time has a reason, such as the end of the entries.
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

  /// Sends what comes before all new entries: the header, then what is sent again or was cut short.
  func pump(_ now: Moment) {
    guard case .up = state else { return }
    if header == nil, options.binary.map({ $0.current != nil }) ?? true {
      header = link.form.pieces(ofLines: options.binary?.header ?? options.header).map { $0[...] }
    }
    while let piece = header?.first {
      switch link.send(piece, at: now) {
      case .tooLarge: header?.removeFirst()
      case let progress:
        guard let count = send(now, progress) else { return }
        if count < piece.count { header?[0] = piece.dropFirst(count) } else { header?.removeFirst() }
      }
    }
    while !window.isSent {
      let piece = link.pieceByteCount(unread: confirm(now))
      switch link.send(window.unsent(byteCountMax: piece), at: now) {
      case .tooLarge: dropTooLarge()
      case let progress:
        guard let count = send(now, progress) else { return }
        window.markSent(count)
      }
    }
  }

  /// Gives up the entry that is next, which never fits.
  func dropTooLarge() {
    guard let dropped = window.dropNext() else { return }
    givenUp.append(GivenUp(dropped, .tooLarge))
    if !hasSaidTooLarge {
      warn("\(name): \(dropped.tally.bytes) bytes are too long for a message; such lines are dropped")
    }
    hasSaidTooLarge = true
  }

  /// Whether nothing must be sent before the first entry, as far as that is known.
  var isGreeted: Bool { header?.isEmpty ?? true }

  /// How many bytes were sent; nil if there is no use in going on.
  func send(_ now: Moment, _ progress: LinkProgress) -> Int? {
    switch progress {
    case .sent(0): return nil
    case .sent(let count):
      hasten(now)
      return count
    case .broken, .tooLarge:
      advance(now)
      return nil
    }
  }

  /// Finds out what the consumer has taken.
  ///
  /// - Returns: How many bytes it has not.
  @discardableResult
  func confirm(_ now: Moment?) -> Int {
    let unread = link.unreadByteCount()
    let taken = window.confirm(unreadByteCount: min(unread, window.sentByteCount))
    if !taken.isEmpty {
      hasTaken = true
      for stretch in taken { doubtful.add(stretch) }
      if let now { hasten(now) }
    }
    return unread
  }

  /// Looks often at what the consumer takes while it takes something.
  func hasten(_ now: Moment) {
    pulses.reset()
    nextPulse = min(nextPulse, now.steadyNanoseconds + Self.pulseNanoseconds.lowerBound)
  }

  // MARK: Consumers

  /// Looks after the consumer: gets one, notices that it has gone, sends what is left, and hears what was taken.
  public func tick(at now: Moment) throws(SinkError) -> Int64? {
    advance(now)
    pump(now)
    takeLeave(now)
    if let refusal { throw refusal }
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
  func advance(_ now: Moment) {
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

  func note(_ condition: LinkCondition, _ now: Moment) {
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
      if window.isEmpty { window.form = link.form }
      doubtful.byteCountMax = link.doubtfulByteCountMax
      upSince = now.steadyNanoseconds
      hasNews = true
    case .ended(let end): lose(end, now)
    }
  }

  func goDown(for nanoseconds: Int64, _ now: Moment) {
    state = .down(until: now.steadyNanoseconds + nanoseconds)
    hasRefused = false
    upSince = nil
    hasTaken = false
  }

  func lose(_ end: LinkEnd, _ now: Moment) {
    confirm(nil)
    if farewell == .close, window.isEmpty { return endFarewell(end, now) }
    let doubt = doubt(end)
    link.release()
    // Whoever comes next is new.
    if farewell == .reopen { farewell = nil }
    if hasSettled(now) { forgetTrouble(now) }
    let left = window.contents
    let isSent = upSince != nil && left.entries > 0
    switch options.onRestart {
    case .resend: window.rewind()
    case .drop: givenUp += window.drop().map { GivenUp($0, .consumerGone) }
    }
    let pause = pauses.next()
    goDown(for: pause, now)
    refusal = end.refusal
    guard refusal == nil, isSent || !end.isUsual else { return }
    let entries = isSent ? left.entries : 0
    if let text = trouble.add(end, entries: entries, unconfirmed: doubt, pause: pause, at: now) {
      warn("\(name): \(text)")
    }
  }

  /// Gives up what a consumer had taken and may have lost by its end.
  /// - Returns: how many entries that are.
  func doubt(_ end: LinkEnd) -> Int {
    let taken = doubtful.removeAll()
    guard end.isAbrupt else { return 0 }
    givenUp += taken.map { GivenUp($0, .unconfirmed) }
    return taken.reduce(0) { $0 + $1.tally.entries }
  }

  /// Says that the consumer works, once it has done so for a while.
  ///
  /// - Returns: In how many nanoseconds that may be.
  func settle(_ now: Moment) -> Int64? {
    if hasSettled(now) { forgetTrouble(now) }
    guard trouble.isThere, let upSince, hasTaken else { return nil }
    return upSince + Self.settledNanoseconds - now.steadyNanoseconds
  }

  func hasSettled(_ now: Moment) -> Bool {
    guard let upSince, hasTaken else { return false }
    return now.steadyNanoseconds - upSince >= Self.settledNanoseconds
  }

  func forgetTrouble(_ now: Moment) {
    pauses.reset()
    if let text = trouble.end(at: now) { warn("\(name): \(text)") }
  }
}
