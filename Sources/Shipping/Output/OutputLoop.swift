import Glibc
import Platform
import Spool
import Synchronization

/// The loop of an output's thread: carries entries from the spool to the sink until it is told to stop.
struct OutputLoop: SteppedLoop, ~Copyable {
  /// What the loop does at present.
  private enum Phase {
    case carrying
    /// The sink has failed, and is not called until the deadline.
    case resting(until: Int64, after: SystemError)
    /// The sink has failed for good: entries are dropped, or left on the spool's disk.
    case discarding
    /// No more entries are carried: the sink is abandoned, and the rest is put on disk.
    case ending
  }

  private var phase = Phase.carrying
  private var isAsleep = false
  private let custody: ReaderCustody
  private let sink: any Sink
  private let state: OutputState
  private let options: Output.Options
  /// What is wrong with the sink at present.
  private var trouble = Trouble<SystemError>()
  private var rests = Backoff(nanoseconds: Self.restNanosecondsMin...Self.restNanosecondsMax)

  /// What has become of the entries taken from the spool.
  private var account: OutputAccount
  /// The failure to note the sink's progress, if it fails at present.
  private var noting = Trouble<FailedOperation>()
  /// Whether the failure is the spool's disk: reading is then tried again independent of the options, and
  /// damaged parts are given up one by one.
  private var isSpoolInTrouble = false
  /// What keeps the sink from taking more.
  private var obstacle: SinkProgress.Obstacle?

  init(
    _ custody: ReaderCustody, sink: any Sink, state: OutputState, options: Output.Options
  ) {
    self.custody = custody
    self.sink = sink
    self.state = state
    self.options = options
    account = OutputAccount(from: custody.reader.place)
  }

  /// Returns when everything is delivered or discarded, or when told to stop.
  mutating func run() {
    state.threadClock.withLock { $0 = .ofCallingThread }
    while true {
      switch step() {
      case .none: continue
      case .sleep(let nanoseconds): sleep(nanoseconds: nanoseconds)
      case .over: return
      }
    }
  }

  mutating func step() -> LoopPause {
    if isAsleep { wakeUp() }
    switch phase {
    case .carrying: return tryToCarry()
    case .resting(let deadline, let error): return rest(until: deadline, after: error)
    case .discarding: return discard()
    case .ending: return end()
    }
  }

  private mutating func end() -> LoopPause {
    do {
      try call { (sink) throws(SystemError) in sink.abandon() }
    } catch {
      return .over
    }
    takeOverProgress()
    restJournal()
    custody.reader.keepRest(sink.unsettledEntries, warn: options.warn)
    state.announceEnd()
    return .over
  }

  private mutating func tryToCarry() -> LoopPause {
    do throws(SystemError) {
      return try carry()
    } catch {
      // The thread that has seized the reader does all that is left to do.
      if custody.isSeized { return .over }
      options.journal?.end(at: custody.reader.place.sequence)
      let triesAgain = options.triesAgain || isSpoolInTrouble
      isSpoolInTrouble = false
      if triesAgain, !error.isFinal { return beginRest(after: error) }
      fail(error)
      phase = .discarding
      return .none
    }
  }

  /// Makes a call of the sink that may hang.
  ///
  /// - Throws: `SystemError`, also if the reader was taken away meanwhile: then this thread has nothing more to do.
  private func call<Result>(
    _ body: (any Sink) throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    custody.release()
    let result: Swift.Result<Result, SystemError>
    do {
      result = .success(try body(sink))
    } catch {
      result = .failure(error)
    }
    guard custody.resume() else {
      throw SystemError(
        operation: "wait", path: sink.name, problem: "it hung, and the run has ended without it")
    }
    return try result.get()
  }

  /// Carries a batch of entries, or closes the sink once all of them are delivered.
  private mutating func carry() throws(SystemError) -> LoopPause {
    let commands = state.takeCommands()
    if commands.contains(.stop) {
      phase = .ending
      return .none
    }
    if commands.contains(.flush) {
      try call { (sink) throws(SystemError) in try sink.flush(at: options.clock()) }
    }
    if commands.contains(.reopen) {
      obstacle = nil
      try call { (sink) throws(SystemError) in try sink.reopen(at: options.clock()) }
    }
    let now = options.clock()
    let wait = try call { (sink) throws(SystemError) in try sink.tick(at: now) }
    takeOverProgress()
    if obstacle != nil { return fallAsleep(nanoseconds: wait) }
    // Read before the entries, so that all entries published before the end are seen.
    let isFinished = custody.reader.isFinished
    isSpoolInTrouble = true
    let next = try custody.reader.next()
    isSpoolInTrouble = false
    if let batch = next {
      options.journal?.begin(batch)
      let progress = try call { (sink) throws(SystemError) in try sink.write(batch, at: now) }
      custody.reader.take(progress.byteCount)
      options.journal?.end(at: custody.reader.place.sequence)
      obstacle = progress.obstacle
      takeOverProgress()
      if progress.byteCount > 0 { endTrouble() }
    } else if isFinished {
      obstacle = try call { (sink) throws(SystemError) in try sink.close(at: now) }
      takeOverProgress()
      if obstacle == nil {
        endTrouble()
        phase = .ending
      }
    } else if custody.reader.prepareToSleep() {
      endTrouble()
      return fallAsleep(nanoseconds: wait)
    }
    return .none
  }

  /// Prepares a sleep that ends with new entries, commands, activity on the sink's descriptors, or the sink's
  /// deadline.
  private mutating func fallAsleep(nanoseconds: Int64?) -> LoopPause {
    restJournal()
    isAsleep = true
    return .sleep(nanoseconds: nanoseconds)
  }

  /// Sleeps until one of these events.
  private mutating func sleep(nanoseconds: Int64?) {
    var descriptors = [pollfd(fd: custody.reader.wakeDescriptor, events: Int16(POLLIN), revents: 0)]
    var isResting = false
    if case .resting = phase { isResting = true }
    // A sink that has failed for good is not called any more, even if it has something to do, and a sink at
    // rest isn't called yet.
    if let wakeDescriptor = sink.wakeDescriptor, state.failure == nil, !isResting {
      descriptors.append(pollfd(fd: wakeDescriptor, events: Int16(POLLIN), revents: 0))
    }
    if case .unwritable(let descriptor)? = obstacle {
      descriptors.append(pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0))
    }
    state.waitsForSink.store(obstacle != nil || isResting, ordering: .relaxed)
    SystemCalls.poll(&descriptors, nanoseconds: nanoseconds)
    state.waitsForSink.store(false, ordering: .relaxed)
  }

  private mutating func wakeUp() {
    isAsleep = false
    custody.reader.wakeUp()
    // After any sleep: by now the sink may have closed the obstacle's descriptor, whose number may belong to
    // another file, so only another attempt tells whether the sink takes entries.
    obstacle = nil
  }

  /// Notes the sink's progress on the spool's disk; without that, entries are delivered twice after a kill.
  private mutating func noteDelivered() {
    do {
      try custody.reader.noteDelivered()
      noting.end()
    } catch {
      noting.say(error, "a kill now would double lines", options.warn)
    }
  }

  /// Takes over the sink's progress and the entries that the sink has given up.
  private mutating func takeOverProgress() {
    let settled = account.isClosed ? nil : sink.settled
    let accepted = custody.reader.place
    let losses = sink.takeGivenUp()
    for loss in losses { account.giveUp(loss) }
    account.advance(accepted: accepted, settled: settled ?? accepted)
    state.publish(account, hasGivenUp: !losses.isEmpty)
    options.journal?.settle(through: account.settled.sequence, at: sink.place)
    custody.reader.settle(through: settled?.sequence, noted: options.journal?.settledThrough)
    noteDelivered()
  }

  /// Brings both copies of the checkpoint up to date, and releases the entries on disk up to there.
  private mutating func restJournal() {
    guard let journal = options.journal, journal.rest() else { return }
    custody.reader.settle(noted: journal.settledThrough)
    noteDelivered()
  }
}

// MARK: - When the sink fails

extension OutputLoop {
  private static let restNanosecondsMin: Int64 = 100_000_000
  private static let restNanosecondsMax: Int64 = 5_000_000_000

  /// Reports the failure, unless that was done already, and waits before the next attempt.
  private mutating func beginRest(after error: SystemError) -> LoopPause {
    obstacle = nil
    takeOverProgress()
    if trouble.begin(error) { options.warn("\(error); it is tried again until it works") }
    let rest = rests.next()
    let isFinished = custody.reader.isFinished
    let deadline = options.clock().steadyNanoseconds + (isFinished ? Self.restNanosecondsMin : rest)
    phase = .resting(until: deadline, after: error)
    return .none
  }

  private mutating func rest(until deadline: Int64, after error: SystemError) -> LoopPause {
    if state.isAskedToStop {
      state.fail(error)
      phase = .ending
      return .none
    }
    let left = deadline - options.clock().steadyNanoseconds
    // Commands end the rest, as they want another attempt.
    if left <= 0 || state.hasCommands {
      phase = .carrying
      return .none
    }
    isAsleep = true
    return .sleep(nanoseconds: left)
  }

  private mutating func endTrouble() {
    guard let seconds = trouble.end() else { return }
    rests.reset()
    options.warn("\(sink.name): works again after \(seconds) s")
  }

  private mutating func fail(_ error: SystemError) {
    takeOverProgress()
    // Where there is a disk, entries that aren't settled go to the next run.
    if custody.reader.spool.disk == nil { giveUpUnsettled() }
    state.fail(error)
    obstacle = nil
  }

  /// Gives up entries that were taken and haven't arrived: the output has failed, so they never will.
  private mutating func giveUpUnsettled() {
    account.close(with: .outputFailed, at: custody.reader.place)
    state.publish(account, hasGivenUp: true)
    // Entries given up were reported, and another run doesn't send them again.
    options.journal?.settle(through: account.settled.sequence, at: sink.place)
  }

  /// Drops entries after the sink has failed for good, so that the spool doesn't fill up; with a disk, they
  /// are kept.
  private mutating func discard() -> LoopPause {
    if state.takeCommands().contains(.stop) {
      phase = .ending
      return .none
    }
    let isFinished = custody.reader.isFinished
    if custody.reader.spool.disk != nil {
      // The next run may be able to deliver them; the writer must not wait for room any more.
      custody.reader.leave()
      if !isFinished { return fallAsleep(nanoseconds: nil) }
      phase = .ending
    } else if let batch = try? custody.reader.next() {
      options.journal?.begin(batch)
      custody.reader.take(batch.byteCount)
      options.journal?.end(at: custody.reader.place.sequence)
      giveUpUnsettled()
    } else if isFinished {
      phase = .ending
    } else if custody.reader.prepareToSleep() {
      return fallAsleep(nanoseconds: nil)
    }
    return .none
  }
}
