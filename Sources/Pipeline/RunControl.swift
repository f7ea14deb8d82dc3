import Platform
import Shipping

/// How a run goes on: what it was told from outside, what it says, and how it will have ended.
struct RunControl: ~Copyable {
  private(set) var configuration: Configuration
  /// Where that can be read again; nil if it can't.
  let source: ConfigurationSource?
  let mailbox: any Mailbox
  let clock: RunClock
  let surroundings: Surroundings
  let messages: Messages
  /// Whether the run was told to end, or has done what it was told to do.
  var isEnding = false
  /// Whether it was told so from outside; then the outputs are given only so much time.
  private(set) var isInterrupted = false
  /// How the run would end now.
  private(set) var outcome = RunOutcome.complete
  /// What is still to be told to the process that has started this one; nil in the foreground.
  var daemon: Daemon?
  /// The service manager that has started the program and wants to know how it does; nil if there is none.
  let manager: ServiceManager?
  /// The file for the process number, if it is there already.
  var pidFile: PIDFile?
  /// The file that is read, or the instance's directory once that is known.
  var logPath: String
  /// What limits the process, in half a sentence; nil if nothing was asked for.
  var sandbox: String?
  /// What the process has limited itself to; nil if nothing limits it.
  var sandboxPlan: SandboxPlan?
  /// The checkpoint; nil if none was asked for, or it isn't open yet.
  var checkpoint: OpenedCheckpoint?
  /// Whether it was told to read the configuration again before there was anything to change.
  var isReloadWanted = false
  private var isReady = false
  private var isStopping = false

  init(
    _ configuration: Configuration, mailbox: any Mailbox, clock: RunClock = .system,
    manager: ServiceManager? = nil, source: ConfigurationSource? = nil,
    surroundings: Surroundings = Surroundings()
  ) {
    self.configuration = configuration
    self.source = source
    self.mailbox = mailbox
    self.clock = clock
    self.surroundings = surroundings
    self.manager = manager
    logPath =
      switch configuration.input.source {
      case .captured(let capture):
        capture.inputs.map { $0 == "-" ? "standard input" : $0 }.joined(separator: ", ")
      case .live(.instance(let name)): name ?? ""
      case .live(.memoryFile(let path)): path
      }
    let process = configuration.process
    messages = Messages(programName: process.programName, listener: process.monitor?.say)
  }

  /// Ends the run, and gives the outputs only so much time.
  mutating func interrupt() {
    isEnding = true
    isInterrupted = true
    for output in configuration.outputs {
      if case .observer(let target) = output.target { target.observer.hurry() }
    }
    announceEnd()
  }

  /// Says why the input can't be read as it should, which makes the run a failure.
  mutating func fail(_ text: String) {
    messages.say(text)
    outcome = .inputFailed
  }

  /// Notes how an output has ended.
  mutating func note(_ failure: String?, isComplete: Bool) {
    if let failure {
      messages.say(failure)
      outcome = .outputFailed
    } else if !isComplete, outcome == .complete {
      outcome = .incomplete
    }
  }

  /// Whether a command ends the run.
  func ends(_ command: Command) -> Bool {
    switch command {
    case .end: true
    case .hangup: configuration.process.hangup == .end
    case .flush, .report: false
    }
  }

  /// Does what may hang with a file system; once a command ends the run, not for long.
  ///
  /// - Parameters:
  ///   - what: what it is, for the message: "opening the output".
  ///   - patienceSeconds: how long it may take after such a command; as long as delivering may, if nil.
  /// - Throws: `RunError.interruptedWhile` if it takes longer; what hangs is left behind.
  mutating func aside<Value: ~Copyable>(
    _ what: String, patienceSeconds: Double? = nil,
    _ work: sending @escaping () -> sending Result<Value, RunError>
  ) throws(RunError) -> sending Value {
    if surroundings.driver != nil { return try work().get() }
    let result = Aside.run(
      whileWatching: mailbox.descriptor,
      goesOn: {
        // An answer to anything else would look as if the log were being followed already.
        if mailbox.takeEnds(where: { ends($0) }) { interrupt() }
        return !isEnding
      }, patience: Int64(min(patienceSeconds ?? configuration.process.drainSeconds, 1e9) * 1e9),
      isHurried: isEnding, work)
    guard let result else { throw .interruptedWhile(what) }
    return try result.get()
  }

  /// Goes into the background, if asked.
  ///
  /// Before anything is opened or started: neither threads nor children would survive it.
  mutating func detach() throws(RunError) {
    guard configuration.process.daemonizes else { return }
    do {
      let manager = manager
      // The manager believes the process that it has started, and that one ends when this one is ready.
      daemon = try Daemon.detach(as: configuration.process.programName) { process in
        manager?.say(.mainProcess(process), .ready)
      }
    } catch {
      throw .system(error)
    }
  }

  /// Says that the run has begun: to the process that has started this one in the background, or to the service
  /// manager.
  ///
  /// - Returns: whether it had not been said before.
  mutating func announceReady() -> Bool {
    guard !isReady else { return false }
    isReady = true
    guard daemon != nil else {
      manager?.say(.ready)
      return true
    }
    do {
      try daemon.take()?.announceReady()
    } catch {
      fail(error.description)
      isEnding = true
    }
    return true
  }

  /// Says that something is read again.
  func announceReload() { manager?.say(.reloading(nanoseconds: SystemClock.steadyNanoseconds)) }

  /// Says that this is over.
  func announceReloaded() { manager?.say(.ready) }

  /// Takes over what a running process can change of another configuration.
  mutating func adopt(_ other: Configuration) {
    configuration.outputs = other.outputs
    configuration.process.adopt(other.process)
  }

  /// Says that the run is about to end; from then on the manager waits only as long as it was told.
  mutating func announceEnd() {
    guard !isStopping else { return }
    isStopping = true
    manager?.say(.stopping)
  }
}
