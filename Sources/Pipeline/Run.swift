import Glibc
import Spool
import Platform
import Rendering
import Shipping
import VarnishLog

/// A run that has begun, with its routes and its state.
///
/// Everything up to the spools happens on the thread that calls it. That thread never waits for an output,
/// unless the source is a file, which can be held back.
struct Run: ~Copyable {
  var control: RunControl
  var routes: FixedList<Route>
  /// The process number's file, from the beginning to the end of the run; nil if none was asked for.
  private let pidFile: PIDFile?
  /// When the accounts are to be reported next, on the steady clock.
  var nextReport: Int64?
  /// The state of reading the log, and its publication; nil if nothing asks for the status.
  var standing: LogStanding
  var observation: Observation?
  /// The kind of log for which the routes are made ready.
  private(set) var log = LogKind()
  /// Values of the transaction that is being handed to the routes, from which lines are made.
  var captures = FixedList<Captures>(count: 0) { _ in preconditionFailure("there are none") }
  /// Whether several routes take values from the same captures.
  var sharesCaptures = false

  /// Whether the source can be held back without losing records.
  let canWait: Bool
  /// Notes how far the log is read; nil if there is no checkpoint.
  var checkpoint: ReadingCheckpoint?
  /// Whether reading was resumed where an earlier run stopped.
  var hasResumed = false
  /// Where the present log begins in the numbering of places over all logs.
  var logStart: UInt64 = 0
  /// The reload that is under way; nil if there is none.
  var reload: Reload?
  /// Whether a reload has been carried out, so that accounts need the outputs' names.
  var hasReloaded = false
  /// Whether a route's output isn't open yet, or hasn't been given all entries that have waited for it.
  var hasUnsettledRoutes = false
  /// What is left of routes that reloads have retired, and the sum of those that have ended.
  var retired: [RetiredRoute] = []
  var ended = EndedOutputs()
  /// The number of the next route.
  var nextSerial: Int
  /// The resources that outputs had written to before the last reload.
  var usedResources: Set<String> = []
  /// Bytes of records that were read, and bytes of the log that were overwritten before they were read.
  var readBytes = 0, lostBytes = 0
  /// When the time for delivering is over; nil as long as it hasn't begun.
  private var deadline: Int64?

  /// Starts the outputs.
  ///
  /// - Parameter canWait: whether the source can be held back without losing records.
  init(
    _ control: consuming RunControl, _ opened: consuming FixedList<OpenedOutput?>, canWait: Bool
  ) throws(RunError) {
    var control = control
    let pidFile = try control.makePIDFile()
    let process = control.configuration.process
    if let memory = process.memoryBytes, process.spoolBytes > memory {
      control.messages.say(
        "--spool-memory: \(process.spoolBytes) bytes are more than the \(memory) of this machine or container"
      )
    }
    try control.enterSandbox()
    let observation = try control.beginObservation()
    var pending = opened
    let routes = try FixedList(count: pending.count) { (index) throws(RunError) in
      guard let opened = pending[index].take() else { preconditionFailure("each is begun once") }
      return try control.begin(opened, serial: index, canWait: canWait)
    }
    nextSerial = routes.count
    self.canWait = canWait
    standing = LogStanding(path: control.logPath)
    checkpoint = control.checkpoint.map { ReadingCheckpoint($0) }
    self.control = control
    self.routes = routes
    self.observation = observation
    self.pidFile = pidFile
  }

  var input: InputConfiguration { control.configuration.input }

  /// Whether nothing more is to be read.
  var isEnding: Bool { control.isEnding }

  /// Looks whether outputs have failed for good, and ends the run if no route needs it any more.
  mutating func lookAtOutputs() {
    for index in 0..<routes.count { routes[index].lookAtOutput() }
    endIfOver()
  }

  /// Ends the run if no route needs it any more.
  mutating func endIfOver() {
    for index in 0..<routes.count where !routes[index].isDone { return }
    control.isEnding = true
  }

  // MARK: Getting ready for a log

  /// Makes the routes ready for a log's tags.
  ///
  /// - Parameter single: the numbering of its records by themselves, if it has no transactions.
  mutating func prepare(for numbering: TagNumbering, single: TagNumbering? = nil) throws(RunError) {
    guard log.numbering != numbering || log.single != single else { return }
    defer { shareCaptures() }
    for index in 0..<routes.count { try routes[index].prepare(input, numbering, single: single) }
    (log.numbering, log.single) = (numbering, single)
  }

  /// Tells outputs that write records the kind of this log's records.
  ///
  /// - Returns: the name of an output that has begun with records of another kind; nil if there is none.
  mutating func beginBinary<Layout: RecordLayout>(
    _ layout: Layout.Type, _ numbering: TagNumbering, single: TagNumbering? = nil
  ) -> String? {
    let usual = BinaryLogFile.kind(layout, numbering)
    log.binaryKind = usual
    for index in 0..<routes.count {
      guard let content = routes[index].content.binary else { continue }
      let takesSingles =
        single.map { routes[index].configuration.takesSingles(input, input.rules(for: $0)) } ?? false
      let kind = takesSingles ? BinaryLogFile.kind(ofOld: single ?? numbering) : usual
      if !content.begin(kind) { return routes[index].output?.name ?? routes[index].name }
    }
    return nil
  }

  // MARK: Commands

  /// Carries out commands, except for finishing what is open, which needs the groupers.
  ///
  /// - Returns: whether what is open should be finished.
  @discardableResult
  mutating func handleCommands() -> Bool {
    defer { observe() }
    var flushes = false
    while let command = control.mailbox.next() {
      if control.ends(command) {
        interrupt()
        continue
      }
      switch command {
      case .end: continue
      case .hangup: hangUp()
      case .flush: flushes = true
      case .report: report()
      }
    }
    return flushes
  }

  private mutating func interrupt() {
    control.interrupt()
    // Otherwise, handing over the remaining entries would wait until the consumers read again.
    for index in 0..<routes.count { routes[index].endWaiting() }
  }

  /// Reopens the output files, which may have been renamed, and reads the configuration again, if it can be.
  private mutating func hangUp() {
    for index in 0..<routes.count { routes[index].output?.requestReopen() }
    for route in retired { route.retirement.output?.requestReopen() }
    guard control.source == nil else { return beginReload() }
    control.announceReload()
    control.announceReloaded()
  }

  // MARK: Accounting

  private mutating func report() { sayAccounts() }

  /// Counts bytes of the log that were overwritten before they were read.
  mutating func countLost(_ byteCount: Int) {
    lostBytes += byteCount
    for index in 0..<routes.count {
      routes[index].countOverrun(byteCount)
      routes[index].forgetSingles()
    }
  }

  /// Reports progress to the program that embeds the run: that of the first output.
  func tellMonitor() {
    guard let monitor = control.configuration.process.monitor else { return }
    monitor.note(routes[0].account(), waitingBytes: routes[0].usage?.waiting.bytes ?? 0)
  }

  mutating func publish() {
    for index in 0..<routes.count { routes[index].publish() }
  }

  // MARK: Ending

  /// Lets the outputs deliver their entries, reports how the run has ended, and returns its outcome.
  mutating func finish() -> RunOutcome {
    // Outputs that were made ready for a reload that comes too late end by themselves.
    reload = nil
    standing.state = .ending
    standing.isIdle = true
    observe()
    let process = control.configuration.process
    process.monitor?.noteEnding()
    waitForLateRoutes()
    for index in 0..<routes.count { routes[index].finish() }
    // At the end of the input, the run waits for its outputs without limit; a command sets a limit.
    for index in 0..<routes.count {
      guard let output = routes[index].output else { continue }
      while !control.isInterrupted, !output.waitForEnd(or: control.mailbox.descriptor) { handleCommands() }
    }
    let deadline = drainDeadline()
    for index in 0..<routes.count {
      let left = max(0, Double(deadline - Moment.now().steadyNanoseconds) / 1e9)
      let report = routes[index].output?.join(drainSeconds: control.isInterrupted ? left : .infinity)
      let account = routes[index].account(report, isFinal: true)
      if index == 0 { process.monitor?.note(account) }
      control.note(report?.failure?.description, isComplete: account.isComplete)
      if saysAccounts { say(account, of: routes[index].name) }
      routes[index].noteSaid()
      assert(account.isSettled)
    }
    finishCheckpoint()
    waitForRetired()
    tellObservers()
    control.announceEnd()
    return control.outcome
  }

  /// Publishes the final state to the status and the observers.
  private mutating func tellObservers() {
    observation?.expire()
    observe()
    for output in control.configuration.outputs {
      if case .observer(let target) = output.target { target.observer.finish() }
    }
  }

  /// Until when outputs may deliver, which is the same for all, as all deliver at the same time.
  ///
  /// The time begins at the first call.
  private mutating func drainDeadline() -> Int64 {
    let seconds = min(control.configuration.process.drainSeconds, 1e9)
    let deadline = self.deadline ?? Moment.now().steadyNanoseconds + Int64(seconds * 1e9)
    self.deadline = deadline
    return deadline
  }

  private var isOutOfTime: Bool {
    mutating get { control.isInterrupted && Moment.now().steadyNanoseconds >= drainDeadline() }
  }

  /// Has outputs take the entries that have waited for them, if they can be opened in time.
  private mutating func waitForLateRoutes() {
    for index in 0..<routes.count {
      while !routes[index].isSettled, !isOutOfTime {
        let isThere = routes[index].late?.wait(nanoseconds: Self.stepNanoseconds) ?? true
        routes[index].settle()
        // The output's spool has no room at present.
        if isThere, !routes[index].isSettled { usleep(UInt32(Self.stepNanoseconds / 1000)) }
        handleCommands()
      }
      routes[index].late?.giveUp()
    }
  }

  /// Waits for outputs that reloads have retired, and reports how they ended.
  private mutating func waitForRetired() {
    for index in retired.indices {
      while !retired[index].retirement.waitUntilSettled(nanoseconds: Self.stepNanoseconds) {
        handleCommands()
        if isOutOfTime { retired[index].retirement.hurry() }
      }
    }
    lookAtRetired()
    guard ended.count > 0, saysAccounts else { return }
    say(ended.account, of: "outputs that reloads have ended", state: "\(ended.count)")
  }

  private static var stepNanoseconds: Int64 { 10_000_000 }
}
