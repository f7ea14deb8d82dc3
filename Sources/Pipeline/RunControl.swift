import Platform
import Shipping

/// The control of a run: commands from outside, messages, and the outcome.
struct RunControl: ~Copyable {
  private(set) var configuration: Configuration
  /// Where the configuration can be read again; nil if it can't.
  let source: ConfigurationSource?
  let mailbox: any Mailbox
  let clock: RunClock
  let surroundings: Surroundings
  let messages: Messages
  /// Whether the run was told to end, or has done what it was told to do.
  var isEnding = false
  /// Whether a command ended the run, which limits the time for the outputs.
  private(set) var isInterrupted = false
  /// The outcome if the run ended now.
  private(set) var outcome = RunOutcome.complete
  /// Tells the process that has started this one in the background that the run has begun; nil in the
  /// foreground.
  var daemon: Daemon?
  /// The service manager that started this process, if it asked to be notified; nil if there is none.
  let manager: ServiceManager?
  /// The process number's file, if it was made before the run.
  var pidFile: PIDFile?
  /// The file that is read, or the instance's directory once that is known.
  var logPath: String
  /// A summary of the sandbox for the status; nil if none was asked for.
  var sandbox: String?
  /// The plan of the sandbox that the process is in; nil if there is none.
  var sandboxPlan: SandboxPlan?
  /// The checkpoint; nil if none was asked for, or it isn't open yet.
  var checkpoint: OpenedCheckpoint?
  /// Whether a reload was asked for before there were outputs.
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

  /// Ends the run, and limits the time for the outputs.
  mutating func interrupt() {
    isEnding = true
    isInterrupted = true
    for output in configuration.outputs {
      if case .observer(let target) = output.target { target.observer.hurry() }
    }
    announceEnd()
  }

  /// Reports why the input can't be read as it should, which makes the run a failure.
  mutating func fail(_ text: String) {
    messages.say(text)
    outcome = .inputFailed
  }

  /// Notes the end of an output in the outcome.
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

  /// Does work that may hang in a file system, on another thread; after a command that ends the run, the work
  /// has only a limited time.
  ///
  /// - Parameters:
  ///   - what: the work, for the message: "opening the output".
  ///   - patienceSeconds: how long the work may take after such a command; nil is as long as delivering may.
  /// - Throws: `RunError.interruptedWhile` if it takes longer; the work is left behind.
  mutating func aside<Value: ~Copyable>(
    _ what: String, patienceSeconds: Double? = nil,
    _ work: sending @escaping () -> sending Result<Value, RunError>
  ) throws(RunError) -> sending Value {
    if surroundings.driver != nil { return try work().get() }
    let result = Aside.run(
      whileWatching: mailbox.descriptor,
      goesOn: {
        // Other commands wait: an answer would look as if the log were being followed already.
        if mailbox.takeEnds(where: { ends($0) }) { interrupt() }
        return !isEnding
      }, patience: Int64(min(patienceSeconds ?? configuration.process.drainSeconds, 1e9) * 1e9),
      isHurried: isEnding, work)
    guard let result else { throw .interruptedWhile(what) }
    return try result.get()
  }

  /// Goes into the background, if that was asked for.
  ///
  /// This has to come before anything is opened or started, as neither threads nor child processes would
  /// survive it.
  mutating func detach() throws(RunError) {
    guard configuration.process.daemonizes else { return }
    do {
      let manager = manager
      // The service manager accepts messages from the process that it has started, which ends when this
      // process is ready.
      daemon = try Daemon.detach(as: configuration.process.programName) { process in
        manager?.say(.mainProcess(process), .ready)
      }
    } catch {
      throw .system(error)
    }
  }

  /// Reports that the run has begun, to the process that has started this one in the background or to the
  /// service manager.
  ///
  /// - Returns: whether this was the first report.
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

  /// Tells the service manager that the configuration is being read again.
  func announceReload() { manager?.say(.reloading(nanoseconds: SystemClock.steadyNanoseconds)) }

  /// Tells the service manager that reading the configuration again is over.
  func announceReloaded() { manager?.say(.ready) }

  /// Takes over the settings that a running process can change.
  mutating func adopt(_ other: Configuration) {
    configuration.outputs = other.outputs
    configuration.process.adopt(other.process)
  }

  /// Tells the service manager that the run is about to end; from then on, it waits only for its configured
  /// time.
  mutating func announceEnd() {
    guard !isStopping else { return }
    isStopping = true
    manager?.say(.stopping)
  }
}
