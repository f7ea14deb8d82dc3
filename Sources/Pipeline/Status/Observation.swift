import Platform
import Shipping
import Spool

/// Publishes a run's status while it goes on, for the status socket and the service manager.
///
/// All of this happens on the reading thread, a few times a second, and none of it waits.
struct Observation: ~Copyable {
  /// How often the status is updated at most, unless the service manager wants to hear from the process more
  /// often.
  private static let periodNanoseconds: Int64 = 250_000_000
  /// How often the service manager gets a new status line.
  private static let lineNanoseconds: Int64 = 2_000_000_000

  private let board: StatusBoard
  private let socket: StatusSocket?
  private let manager: ServiceManager?
  private var watchdog: Watchdog?
  private var hangingParts: [String] = []
  private var said = ""
  private var nextLine = Int64.min

  private var status: RunStatus
  private var written = Rate()
  /// How fast each output gets entries, by its route's number.
  private var entries: [Int: Rate] = [:]
  private var nextLook = Int64.min

  private let pauseNanoseconds: Int64

  /// How long a run that has nothing else to do may wait from one update to the next.
  static func pause(_ manager: ServiceManager?) -> Int64 {
    let part = manager?.watchdogNanoseconds.map { max(1_000_000, $0 / 8) }
    return min(periodNanoseconds, part ?? periodNanoseconds)
  }

  init(
    _ status: RunStatus, _ board: StatusBoard, _ socket: StatusSocket?, _ manager: ServiceManager?,
    pauseNanoseconds: Int64
  ) {
    self.status = status
    self.board = board
    self.socket = socket
    self.manager = manager
    self.pauseNanoseconds = pauseNanoseconds
  }

  /// Has the status updated and the service manager notified at the next occasion, as something has changed.
  mutating func expire() {
    nextLook = .min
    nextLine = .min
  }

  /// Whether an update is due.
  func isDue(at now: Int64) -> Bool { now >= nextLook }

  /// Starts the watchdog, when the service manager has been told that the run is ready.
  mutating func beginWatch(at now: Int64) {
    guard let nanoseconds = manager?.watchdogNanoseconds, watchdog == nil else { return }
    watchdog = Watchdog(watchdogNanoseconds: nanoseconds, at: now)
  }

  /// Updates the status, and notifies the service manager.
  ///
  /// - Parameter warn: called once when parts of the run hang, and once when they go on.
  mutating func look(
    _ log: LogStanding, _ routes: borrowing FixedList<Route>, _ retired: [RetiredRoute] = [],
    _ ended: EndedOutputs = EndedOutputs(), at now: Moment, warn: (String) -> Void
  ) {
    nextLook = now.steadyNanoseconds + pauseNanoseconds
    note(log, at: now)
    note(routes, retired, at: now)
    status.ended = ended
    status.noted = now
    board.publish(status)
    guard let manager else { return }
    feed(manager, log, routes, at: now.steadyNanoseconds, warn: warn)
    if now.steadyNanoseconds >= nextLine {
      nextLine = now.steadyNanoseconds + Self.lineNanoseconds
      let line = status.line
      if line != said { manager.say(.status(line)) }
      said = line
    }
    manager.retry()
  }

  private mutating func note(_ log: LogStanding, at now: Moment) {
    status.log = log
    (status.readBytes, status.lostBytes) = (log.readBytes, log.lostBytes)
    if let ring = log.ring {
      written.note(ring.writtenOffset, at: now.steadyNanoseconds)
    } else {
      written = Rate()
    }
    status.writtenBytesPerSecond = written.perSecond
  }

  /// Notes the state of outputs that take entries, then of outputs that deliver their last ones.
  private mutating func note(
    _ routes: borrowing FixedList<Route>, _ retired: [RetiredRoute], at now: Moment
  ) {
    var outputs: [RunStatus.Output] = []
    var rates: [Int: Rate] = [:]
    for index in 0..<routes.count {
      let (serial, account, failure) = (
        routes[index].serial, routes[index].account(), routes[index].output?.failure
      )
      var rate = entries[serial] ?? Rate()
      rate.note(account.committed, at: now.steadyNanoseconds)
      rates[serial] = rate
      var output = RunStatus.Output(serial: serial, name: routes[index].name, account: account)
      output.state =
        failure != nil
        ? .failed : routes[index].isOver ? .complete : routes[index].isSettled ? .running : .opening
      output.failure = failure?.description
      output.entriesPerSecond = rate.perSecond
      if let usage = routes[index].usage { output.spool = usage }
      if let limits = routes[index].output?.spoolLimits { output.setLimits(limits) }
      outputs.append(output)
    }
    for route in retired where !route.isSaid {
      var output = RunStatus.Output(serial: route.serial, name: route.name, account: route.account)
      output.state = .draining
      if let running = route.retirement.output {
        output.spool = running.usage
        output.setLimits(running.spoolLimits)
      }
      outputs.append(output)
    }
    for index in outputs.indices {
      let former = status.outputs.first { $0.serial == outputs[index].serial }
      let isNew = outputs[index].account.committed > (former?.account.committed ?? 0)
      outputs[index].lastEntrySeconds = isNew ? now.wallSeconds : former?.lastEntrySeconds
    }
    status.outputs = outputs
    entries = rates
  }

  // MARK: The watchdog

  private mutating func feed(
    _ manager: ServiceManager, _ log: LogStanding, _ routes: borrowing FixedList<Route>, at now: Int64,
    warn: (String) -> Void
  ) {
    guard watchdog != nil else { return }
    let parts = parts(log, routes)
    switch watchdog?.look(at: now, parts) {
    case .feed:
      manager.say(.watchdog)
      if !hangingParts.isEmpty { warn("\(hangingParts.joined(separator: ", ")): goes on again") }
      hangingParts = []
    case .starve(let parts):
      if parts != hangingParts {
        warn("\(parts.joined(separator: ", ")): hangs; the service manager's watchdog isn't fed")
      }
      hangingParts = parts
    case .notYet, nil: break
    }
  }

  private func parts(_ log: LogStanding, _ routes: borrowing FixedList<Route>) -> [Watchdog.Part] {
    var parts = [
      Watchdog.Part.reader(
        recordsRead: UInt64(truncatingIfNeeded: status.readBytes &+ status.lostBytes), isIdle: log.isIdle,
        isHeldBack: log.isHeldBack)
    ]
    for index in 0..<routes.count {
      // An output that isn't open can only be waiting for something outside of the program.
      guard let output = routes[index].output else { continue }
      let name = "\(routes[index].serial + 1) (\(routes[index].name))"
      let activity = output.activity
      parts.append(
        .output(
          name, entriesSettled: activity.done, isSpoolEmpty: !activity.hasWork,
          isInSink: activity.isOutside, processorNanoseconds: activity.processorNanoseconds))
      if let activity = output.spillerActivity {
        parts.append(
          .spiller(
            name, blocksMoved: activity.done, isBusy: activity.hasWork, isOnDisk: activity.isOutside,
            processorNanoseconds: activity.processorNanoseconds))
      }
    }
    return parts
  }
}
