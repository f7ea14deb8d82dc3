import Glibc

/// What the writer thread does: carry records from the spool to the sink until it is told to stop.
struct OutputLoop: ~Copyable {
  private var reader: SpoolReader
  private let sink: any Sink
  private let state: OutputState
  private let clock: @Sendable () -> Moment

  /// What the sink has taken, delivered or not.
  private var taken = Tally.zero
  /// What must become writable before the sink takes more.
  private var blockedDescriptor: Int32?

  init(
    reader: consuming SpoolReader, sink: any Sink, state: OutputState,
    clock: @escaping @Sendable () -> Moment
  ) {
    self.reader = reader
    self.sink = sink
    self.state = state
    self.clock = clock
  }

  /// Returns when everything is delivered or discarded, or when told to stop.
  mutating func run() {
    do {
      try carry()
      try sink.close(at: clock())
      countDelivered()
    } catch {
      fail(error)
      discard()
    }
    state.end()
  }

  private mutating func carry() throws(SinkError) {
    while true {
      let commands = state.takeCommands()
      if commands.contains(.stop) { return }
      if commands.contains(.flush) { try sink.flush(at: clock()) }
      if commands.contains(.reopen) {
        blockedDescriptor = nil
        try sink.reopen(at: clock())
      }
      let now = clock()
      let wait = try sink.tick(at: now)
      countDelivered()
      if blockedDescriptor != nil {
        sleep(nanoseconds: wait)
        continue
      }
      // Asked first: what was published before the end is seen after it.
      let isFinished = reader.isFinished
      if let batch = reader.next() {
        let progress = try sink.write(batch, at: now)
        taken += reader.take(progress.byteCount)
        blockedDescriptor = progress.blockedDescriptor
        countDelivered()
      } else if isFinished {
        return
      } else if reader.prepareToSleep() {
        sleep(nanoseconds: wait)
      }
    }
  }

  /// Waits for records, for commands, for the sink's descriptor, or for the sink's time to come.
  private mutating func sleep(nanoseconds: Int64?) {
    var descriptors = [pollfd(fd: reader.wakeDescriptor, events: Int16(POLLIN), revents: 0)]
    if let blockedDescriptor {
      descriptors.append(pollfd(fd: blockedDescriptor, events: Int16(POLLOUT), revents: 0))
    }
    SystemCalls.poll(&descriptors, nanoseconds: nanoseconds)
    reader.wakeUp()
    // An error or a hang-up counts as ready: the next write says what it is.
    if descriptors.count < 2 || descriptors[1].revents != 0 { blockedDescriptor = nil }
  }

  private func countDelivered() {
    state.written.store(taken - sink.unfinished)
  }

  private mutating func fail(_ error: SinkError) {
    let lost = sink.unfinished
    state.written.store(taken - lost)
    state.dropped.add(lost)
    state.fail(error)
    blockedDescriptor = nil
  }

  /// Keeps the spool from filling up when there is nobody to deliver to.
  private mutating func discard() {
    while !state.takeCommands().contains(.stop) {
      let isFinished = reader.isFinished
      if let batch = reader.next() {
        state.dropped.add(reader.take(batch.byteCount))
      } else if isFinished {
        return
      } else if reader.prepareToSleep() {
        sleep(nanoseconds: nil)
      }
    }
  }
}
