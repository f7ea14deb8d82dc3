import Spool
import LogReading
import Platform
import Shipping
import Transactions
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
  /// How the run stands with its log, and what others are told of that; nil if nobody has asked to be told.
  var standing: LogStanding
  var observation: Observation?
  /// Which tags the routes' formats and queries are compiled for.
  private var numbering: TagNumbering?

  /// Starts the outputs.
  ///
  /// - Parameter canWait: whether the source loses nothing by being held back.
  init(
    _ control: consuming RunControl, _ opened: consuming FixedList<OpenedOutput?>, canWait: Bool
  ) throws(RunError) {
    var control = control
    let pidFile = try control.makePIDFile()
    let process = control.configuration.process
    if let memory = MachineLimits.current.memoryBytes, process.spoolBytes > memory {
      control.messages.say(
        "--spool-memory: \(process.spoolBytes) bytes are more than the \(memory) of this machine or container"
      )
    }
    try control.enterSandbox()
    let observation = try control.beginObservation()
    var pending = opened
    let routes = try FixedList(count: pending.count) { (index) throws(RunError) in
      guard let opened = pending[index].take() else { preconditionFailure("each is begun once") }
      return try control.begin(opened, canWait: canWait)
    }
    standing = LogStanding(path: control.logPath)
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
    for index in 0..<routes.count where !routes[index].isOver { return }
    control.isEnding = true
  }

  // MARK: Getting ready for a log

  /// Makes the routes fit a log's tags.
  mutating func prepare(for numbering: TagNumbering) throws(RunError) {
    guard self.numbering != numbering else { return }
    let rules = input.rules(for: numbering)
    for index in 0..<routes.count { try routes[index].prepare(rules, numbering) }
    self.numbering = numbering
  }

  /// Tells outputs that write records what those of this log are.
  ///
  /// - Returns: false if one of them has begun with records of another kind.
  func beginBinary<Layout: RecordLayout>(_ layout: Layout.Type, _ numbering: TagNumbering) -> String? {
    for index in 0..<routes.count {
      guard let content = routes[index].output.content.binary else { continue }
      if !content.begin(BinaryLogFile.kind(layout, numbering)) { return routes[index].output.name }
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
      case .hangup:
        control.announceReload()
        for index in 0..<routes.count { routes[index].output.requestReopen() }
      case .flush: flushes = true
      case .report: report()
      }
    }
    return flushes
  }

  private mutating func interrupt() {
    control.interrupt()
    // What is still to be handed on would be waited for until the consumers wake.
    for index in 0..<routes.count { routes[index].output.endWaiting() }
  }

  // MARK: Accounting

  private func report() {
    for index in 0..<routes.count { say(routes[index].account(), of: routes[index].name) }
  }

  /// Counts bytes of the log that were overwritten before they were read.
  mutating func countLost(_ byteCount: Int) {
    for index in 0..<routes.count { routes[index].countOverrun(byteCount) }
  }

  /// Tells a program that embeds the run how it stands; of several outputs, it is told of the first.
  func tellMonitor() {
    guard let monitor = control.configuration.process.monitor else { return }
    monitor.note(routes[0].account(), waitingBytes: routes[0].output.usage.waiting.bytes)
  }

  mutating func publish() {
    for index in 0..<routes.count { routes[index].publish() }
  }

  // MARK: Ending

  /// Lets the outputs finish what they have, says how everything ended, and returns how.
  mutating func finish() -> RunOutcome {
    for index in 0..<routes.count { routes[index].finish() }
    standing.state = .ending
    standing.isIdle = true
    observe()
    let process = control.configuration.process
    process.monitor?.noteEnding()
    // A run that came to its end by itself waits for its outputs; a command sets a limit to that.
    for index in 0..<routes.count {
      while !control.isInterrupted, !routes[index].output.waitForEnd(or: control.mailbox.descriptor) {
        handleCommands()
      }
    }
    // All of them drain at the same time, so the time is one for all.
    let deadline = Moment.now().steadyNanoseconds + Int64(min(process.drainSeconds, 1e9) * 1e9)
    for index in 0..<routes.count {
      let left = max(0, Double(deadline - Moment.now().steadyNanoseconds) / 1e9)
      let report = routes[index].output.join(drainSeconds: control.isInterrupted ? left : .infinity)
      let account = routes[index].account(report, isFinal: true)
      if index == 0 { process.monitor?.note(account) }
      control.note(report.failure?.description, isComplete: account.isComplete)
      if process.showsAccounting || process.report != nil { say(account, of: routes[index].name) }
      assert(account.isSettled)
    }
    control.announceEnd()
    return control.outcome
  }
}
