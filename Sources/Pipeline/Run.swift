import Glibc
import Spool
import Platform
import Rendering
import Shipping
import VarnishLog

/// A run that has begun: its routes, and what it is told meanwhile.
///
/// Everything up to the spools happens on the thread that calls it, which never waits for an output, unless the
/// source is a file and so can wait.
struct Run: ~Copyable {
  var control: RunControl
  var routes: FixedList<Route>
  /// There from the beginning to the end of the run, if it was asked for.
  private let pidFile: PIDFile?
  /// When the accounts are to be said next, on the steady clock.
  var nextReport: Int64?
  /// How the run stands with its log, and how that is reported; nil if no report is asked for.
  var standing: LogStanding
  var observation: Observation?
  /// For which log the routes are made ready.
  private(set) var log = LogKind()
  /// What lines are made of, of the transaction that is handed to the routes.
  var captures = FixedList<Captures>(count: 0) { _ in preconditionFailure("there are none") }
  /// Whether more than one route takes values from any of these.
  var sharesCaptures = false

  /// Whether the source loses nothing by being held back.
  let canWait: Bool
  /// How the log is read, for another run; nil if there is no checkpoint.
  var checkpoint: ReadingCheckpoint?
  /// Whether reading went on where an earlier run had come.
  var hasResumed = false
  /// Where the log that is read begins among all that were.
  var logStart: UInt64 = 0
  /// The configuration that is being read again.
  var reload: Reload?
  /// Whether the outputs are others than at the beginning.
  var hasReloaded = false
  /// Whether a route's output isn't open yet, or has yet to be given what has waited.
  var hasUnsettledRoutes = false
  /// What is left of routes that reloads have ended, and these altogether.
  var retired: [RetiredRoute] = []
  var ended = EndedOutputs()
  /// The number of the next route.
  var nextSerial: Int
  /// Where outputs have written before the last reload.
  var usedResources: Set<String> = []
  /// Bytes of records that were read, and of what was overwritten before.
  var readBytes = 0, lostBytes = 0
  /// When the time for delivering is over, once it has begun.
  private var deadline: Int64?

  /// Starts the outputs.
  ///
  /// - Parameter canWait: whether the source loses nothing by being held back.
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

  /// Looks whether outputs have failed for good; without any that works, the run ends.
  mutating func lookAtOutputs() {
    for index in 0..<routes.count { routes[index].lookAtOutput() }
    endIfOver()
  }

  /// Ends the run if no route takes anything more.
  mutating func endIfOver() {
    for index in 0..<routes.count where !routes[index].isDone { return }
    control.isEnding = true
  }

  // MARK: Getting ready for a log

  /// Makes the routes fit a log's tags.
  ///
  /// - Parameter single: those of its records by themselves, if it has no transactions.
  mutating func prepare(for numbering: TagNumbering, single: TagNumbering? = nil) throws(RunError) {
    guard log.numbering != numbering || log.single != single else { return }
    defer { shareCaptures() }
    for index in 0..<routes.count { try routes[index].prepare(input, numbering, single: single) }
    (log.numbering, log.single) = (numbering, single)
  }

  /// Tells outputs that write records what those of this log are.
  ///
  /// - Returns: false if one of them has begun with records of another kind.
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

  /// Does what came in from outside, apart from flushing, which needs the groupers.
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
    // What is still to be handed on would be waited for until the consumers wake.
    for index in 0..<routes.count { routes[index].endWaiting() }
  }

  /// Lets go of the output files, which may have been renamed, and reads the configuration again, if it can be.
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

  /// Tells a program that embeds the run how it stands; of several outputs, it is told of the first.
  func tellMonitor() {
    guard let monitor = control.configuration.process.monitor else { return }
    monitor.note(routes[0].account(), waitingBytes: routes[0].usage?.waiting.bytes ?? 0)
  }

  mutating func publish() {
    for index in 0..<routes.count { routes[index].publish() }
  }

  // MARK: Ending

  /// Lets the outputs finish what they have, says how everything ended, and returns how.
  mutating func finish() -> RunOutcome {
    // What was made ready for a reload that comes too late ends by itself.
    reload = nil
    standing.state = .ending
    standing.isIdle = true
    observe()
    let process = control.configuration.process
    process.monitor?.noteEnding()
    waitForLateRoutes()
    for index in 0..<routes.count { routes[index].finish() }
    // A run that came to its end by itself waits for its outputs; a command sets a limit to that.
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

  /// Has those who look at the run see how it has ended.
  private mutating func tellObservers() {
    observation?.expire()
    observe()
    for output in control.configuration.outputs {
      if case .observer(let target) = output.target { target.observer.finish() }
    }
  }

  /// Until when outputs may deliver; all of them do so at the same time, so the time is one for all.
  ///
  /// It begins when it is asked for first.
  private mutating func drainDeadline() -> Int64 {
    let seconds = min(control.configuration.process.drainSeconds, 1e9)
    let deadline = self.deadline ?? Moment.now().steadyNanoseconds + Int64(seconds * 1e9)
    self.deadline = deadline
    return deadline
  }

  private var isOutOfTime: Bool {
    mutating get { control.isInterrupted && Moment.now().steadyNanoseconds >= drainDeadline() }
  }

  /// Has outputs take what has waited for them, if they can be opened in time.
  private mutating func waitForLateRoutes() {
    for index in 0..<routes.count {
      while !routes[index].isSettled, !isOutOfTime {
        let isThere = routes[index].late?.wait(nanoseconds: Self.stepNanoseconds) ?? true
        routes[index].settle()
        // There is no room where it is to go, at present.
        if isThere, !routes[index].isSettled { usleep(UInt32(Self.stepNanoseconds / 1000)) }
        handleCommands()
      }
      routes[index].late?.giveUp()
    }
  }

  /// Waits for outputs that reloads have ended, and says how they did.
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
