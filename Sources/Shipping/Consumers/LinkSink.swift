public import Platform
public import Spool

/// Serves consumers that come and go, one at a time: a command, a peer, the reader of a named pipe.
///
/// Entries that a consumer hasn't taken when it goes are sent again to the next one or given up, as
/// `RestartPolicy` says; a consumer that stays, but takes nothing, is waited for. None of this is an error:
/// the only error is a consumer that took everything and reported at its end that it failed.
public final class LinkSink: Sink {
  enum State {
    /// There is no consumer; the next attempt to get one is due at this time, or when a caller that was told
    /// to wait for a consumer comes back.
    case down(until: Int64, isAwaited: Bool)
    /// An attempt to get one is under way; the descriptor, if any, becomes writable when that changes.
    case coming(writable: Int32?)
    /// A consumer is there.
    case up(Consumer)
    /// The consumer has got everything, and was told that nothing more comes.
    case leaving(Consumer)
    /// There won't be a consumer any more; the last one may have failed, and callers that wait for that may not
    /// have been told.
    case closed(LinkEnd?, isNew: Bool)
    /// There can't be a consumer.
    case refused(SystemError)
  }

  /// What is to become of the consumer.
  enum Intent {
    /// The consumer is sent entries.
    case serve
    /// Once the consumer has taken everything, it ends; then another is got, or none.
    case reopen, close
  }

  /// How long a consumer must have been there for its predecessors' failures to be forgotten.
  static let settledNanoseconds: Int64 = 10_000_000_000
  private static let pauseNanosecondsMin: Int64 = 100_000_000
  private static let pulseNanoseconds: ClosedRange<Int64> = 1_000_000...1_000_000_000

  let link: any Link
  let options: LinkOptions
  let warn: @Sendable (String) -> Void

  var state = State.down(until: 0, isAwaited: false)
  var intent = Intent.serve
  var window = SendWindow()
  var trouble: ConsumerTrouble
  var pauses: Backoff
  /// When to ask next how much the consumer has taken, as nothing announces it.
  var pulses = Backoff(nanoseconds: pulseNanoseconds)
  var nextPulse: Int64 = 0

  /// Entries that the consumer has taken but may still lose.
  var doubtful = DoubtfulTail()
  /// Entries given up that `takeGivenUp` hasn't returned yet.
  var givenUp: [GivenUp] = []
  /// The report of entries too long for a message, which lasts as long as the sink.
  private var oversize = Trouble<Errno>()

  init(
    _ link: any Link, _ options: LinkOptions, pauseNanoseconds: ClosedRange<Int64>? = nil,
    warn: @escaping @Sendable (String) -> Void
  ) {
    self.link = link
    self.options = options
    self.warn = warn
    trouble = ConsumerTrouble(
      drops: options.onRestart == .drop, content: options.content)
    pauses = Backoff(nanoseconds: pauseNanoseconds ?? Self.pauseNanosecondsMin...link.pauseNanosecondsMax)
  }

  /// What the entries are.
  public var content: EntryContent { options.content }

  /// The name for messages.
  public var name: String { link.name }

  /// The place in front of the entries that aren't known to have been taken, sent or to be sent again.
  public var settled: SpoolPlace? { window.start }

  /// The entries that aren't settled; nil where entries that may have arrived must not be sent again.
  public var unsettledEntries: [EntryRun]? { options.onRestart == .resend ? window.entryRuns : nil }

  /// Entries that consumers had not taken and that aren't sent again, that are too large, or that may be
  /// lost.
  public func takeGivenUp() -> [GivenUp] {
    defer { givenUp = [] }
    return givenUp
  }

  /// Readable when the consumer has gone.
  public var wakeDescriptor: Int32? { link.wakeDescriptor }

  // MARK: Entries

  /// Sends whole entries, as far as there is a consumer that has room for them.
  public func write(_ batch: EntryBatch, at now: Moment) throws(SystemError) -> SinkProgress {
    let obstacle = prepare(now)
    if case .refused(let error) = state { throw error }
    if let obstacle { return SinkProgress(byteCount: 0, obstacle: obstacle) }
    guard intent == .serve, let descriptor = openDescriptor else { return absence() }
    guard window.form == .line else { return writeInForm(batch, descriptor, now) }
    // So a reader that ends between two of its reads has seen whole entries only.
    let piece = link.pieceByteCount(unread: confirm(now))
    let part = window.fitting(batch.prefix(max(1, batch.entryCount(within: piece))))
    guard part.count > 0 else { return absence() }
    guard case .sent(let count) = unsafe link.send(part.bytes, at: now) else {
      advance(now)
      return absence()
    }
    guard count > 0 else { return SinkProgress(byteCount: 0, obstacle: .unwritable(descriptor)) }
    let begun = part.prefix(part.entryCount(reaching: count))
    window.append(begun)
    window.markSent(count)
    hasten(now)
    return SinkProgress(
      byteCount: begun.byteCount, obstacle: count < part.byteCount ? .unwritable(descriptor) : nil)
  }

  /// Sends entries whose form differs from that in the spool.
  func writeInForm(_ batch: EntryBatch, _ descriptor: Int32, _ now: Moment) -> SinkProgress {
    confirm(now)
    let part = window.fitting(batch)
    guard part.count > 0 else { return absence() }
    window.append(part)
    pump(now)
    return SinkProgress(
      byteCount: part.byteCount, obstacle: window.isSent ? nil : .unwritable(descriptor))
  }

  /// Tells the caller to wait until another attempt may succeed.
  func absence() -> SinkProgress {
    if case .down(let time, _) = state { state = .down(until: time, isAwaited: true) }
    return SinkProgress(byteCount: 0, obstacle: .absent)
  }

  /// Makes sure that new entries can be sent; returns the obstacle, if there is one.
  func prepare(_ now: Moment) -> SinkProgress.Obstacle? {
    if case .down(_, isAwaited: true) = state {
      // A caller that comes back early has a reason, such as the end of the entries.
      state = .down(until: 0, isAwaited: false)
      advance(now)
    }
    pump(now)
    switch state {
    case .down: return absence().obstacle
    case .up(let consumer):
      switch consumer.readiness {
      case .open(let descriptor): return consumer.isGreeted && window.isSent ? nil : .unwritable(descriptor)
      case .busy(let descriptor): return descriptor.map { .unwritable($0) } ?? .absent
      }
    case .coming(let descriptor): return descriptor.map { .unwritable($0) } ?? .absent
    case .leaving, .closed, .refused: return .absent
    }
  }

  /// Sends what comes before all new entries: the header, then entries that are sent again or were cut short.
  func pump(_ now: Moment) {
    guard openDescriptor != nil, greet(now) else { return }
    while !window.isSent {
      let piece = link.pieceByteCount(unread: confirm(now))
      switch unsafe link.send(window.unsent(byteCountMax: piece), at: now) {
      case .tooLarge: dropTooLarge()
      case let progress:
        guard let count = send(now, progress) else { return }
        window.markSent(count)
      }
    }
  }

  /// Sends the header, once it is known.
  /// - Returns: false if nothing more can be sent now.
  private func greet(_ now: Moment) -> Bool {
    if case .unknown? = consumer?.greeting, let header = options.content.header {
      let pieces = link.form.pieces(ofLines: header)
      update { $0.greeting = .left(pieces.map { $0[...] }) }
    }
    while case .left(let pieces)? = consumer?.greeting, let piece = pieces.first {
      var sentCount = piece.count
      switch link.send(piece, at: now) {
      case .tooLarge: break
      case let progress:
        guard let count = send(now, progress) else { return false }
        sentCount = count
      }
      let rest = piece.dropFirst(sentCount)
      update { $0.greeting = .left((rest.isEmpty ? [] : [rest]) + pieces.dropFirst()) }
    }
    return true
  }

  /// Gives up the next entry, which is too large for the consumer.
  func dropTooLarge() {
    guard let dropped = window.dropNext() else { return }
    givenUp.append(GivenUp(dropped, .tooLarge))
    if oversize.begin(.messageTooLong) {
      warn("\(name): \(dropped.tally.bytes) bytes are too long for a message; such lines are dropped")
    }
  }

  /// The number of bytes that were sent; nil if nothing more can be sent now.
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
  /// - Returns: how many of the bytes sent it has not taken.
  @discardableResult
  func confirm(_ now: Moment?) -> Int {
    let unread = link.unreadByteCount()
    let taken = window.confirm(unreadByteCount: min(unread, window.sentByteCount))
    if !taken.isEmpty {
      update { $0.hasTaken = true }
      for stretch in taken { doubtful.add(stretch) }
      if let now { hasten(now) }
    }
    return unread
  }

  /// Asks often how much the consumer takes, while it takes something.
  func hasten(_ now: Moment) {
    pulses.reset()
    nextPulse = min(nextPulse, now.steadyNanoseconds + Self.pulseNanoseconds.lowerBound)
  }

  // MARK: Consumers

  /// Looks after the consumer: gets one, notices its end, sends waiting entries, and finds out what it has
  /// taken.
  public func tick(at now: Moment) throws(SystemError) -> Int64? {
    advance(now)
    pump(now)
    takeLeave(now)
    if case .refused(let error) = state { throw error }
    if now.steadyNanoseconds >= nextPulse {
      if openDescriptor != nil { confirm(now) }
      nextPulse = now.steadyNanoseconds + pulses.next()
    }
    let settling = settle(now)
    // Nothing else would wake a caller that was told that there is no consumer.
    if takeNews() { return 0 }
    switch state {
    case .down(let time, _): return max(0, time - now.steadyNanoseconds)
    case .closed, .refused: return nil
    case .up(let consumer):
      let isDone =
        consumer.isOpen && consumer.isGreeted && window.isEmpty && intent == .serve && wakeDescriptor != nil
      return isDone ? settling : nextPulse - now.steadyNanoseconds
    case .coming, .leaving: return nextPulse - now.steadyNanoseconds
    }
  }

  /// Whether, since the last call, a consumer has come, or it is certain that none will come.
  private func takeNews() -> Bool {
    switch state {
    case .up(let consumer):
      if consumer.isNew { update { $0.isNew = false } }
      return consumer.isNew
    case .closed(let end, let isNew):
      state = .closed(end, isNew: false)
      return isNew
    case .down, .coming, .leaving, .refused: return false
    }
  }

  /// Takes notice of the consumer's state, and gets one when that is due.
  func advance(_ now: Moment) {
    switch state {
    case .closed, .refused: return
    case .down(let time, _):
      guard now.steadyNanoseconds >= time else { return }
      hasten(now)
      note(link.begin(at: now), now)
    case .coming, .up, .leaving:
      note(link.condition(at: now), now)
    }
  }

  func note(_ condition: LinkCondition, _ now: Moment) {
    if case .leaving = state {
      if case .ended(let end) = condition { endFarewell(end, now) }
      return
    }
    switch condition {
    case .absent: goDown(for: pauses.next(), now)
    case .pending(let descriptor) where consumer == nil: state = .coming(writable: descriptor)
    case .pending(let descriptor): update { $0.readiness = .busy(writable: descriptor) }
    case .open(let descriptor) where consumer == nil:
      if window.isEmpty { window.form = link.form }
      doubtful.byteCountMax = link.doubtfulByteCountMax
      state = .up(Consumer(sinceNanoseconds: now.steadyNanoseconds, readiness: .open(descriptor)))
    case .open(let descriptor): update { $0.readiness = .open(descriptor) }
    case .ended(let end): lose(end, now)
    }
  }

  func goDown(for nanoseconds: Int64, _ now: Moment) {
    state = .down(until: now.steadyNanoseconds + nanoseconds, isAwaited: false)
  }

  func lose(_ end: LinkEnd, _ now: Moment) {
    confirm(nil)
    if intent == .close, window.isEmpty { return endFarewell(end, now) }
    let doubt = doubt(end)
    link.release()
    // The next consumer counts as the new one.
    if intent == .reopen { intent = .serve }
    if hasSettled(now) { forgetTrouble(now) }
    let left = window.contents
    let isSent = consumer != nil && left.entries > 0
    switch options.onRestart {
    case .resend: window.rewind()
    case .drop: givenUp += window.drop().map { GivenUp($0, .consumerGone) }
    }
    let pause = pauses.next()
    goDown(for: pause, now)
    if let refusal = end.refusal {
      state = .refused(refusal)
      return
    }
    guard isSent || !end.isUsual else { return }
    let entries = isSent ? left.entries : 0
    if let text = trouble.add(end, entries: entries, unconfirmed: doubt, pause: pause, at: now) {
      warn("\(name): \(text)")
    }
  }

  /// Gives up entries that a consumer had taken and may have lost by its abrupt end.
  /// - Returns: how many entries were given up.
  func doubt(_ end: LinkEnd) -> Int {
    let taken = doubtful.removeAll()
    guard end.isAbrupt else { return 0 }
    givenUp += taken.map { GivenUp($0, .unconfirmed) }
    return taken.reduce(0) { $0 + $1.tally.entries }
  }

  /// Reports that the consumer works, once it has worked for a while.
  ///
  /// - Returns: in how many nanoseconds that may be due; nil if there is nothing to report.
  func settle(_ now: Moment) -> Int64? {
    if hasSettled(now) { forgetTrouble(now) }
    guard trouble.isThere, let consumer, consumer.hasTaken else { return nil }
    return consumer.sinceNanoseconds + Self.settledNanoseconds - now.steadyNanoseconds
  }

  func hasSettled(_ now: Moment) -> Bool {
    guard let consumer, consumer.hasTaken else { return false }
    return now.steadyNanoseconds - consumer.sinceNanoseconds >= Self.settledNanoseconds
  }

  func forgetTrouble(_ now: Moment) {
    pauses.reset()
    if let text = trouble.end(at: now) { warn("\(name): \(text)") }
  }
}
