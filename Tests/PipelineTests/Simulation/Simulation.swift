import Checkpoints
import Glibc
import Platform
import Shipping
import TestSupport
import VarnishLog

@testable import Pipeline

/// Plays a scenario in a single thread.
final class Simulation {
  /// A fault in the outputs or in the run.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// The course of a simulation.
  struct Course: Equatable {
    /// The fault points at which runs were killed.
    let killed: Set<FaultPoint>
    /// The number of system calls that outputs have made.
    let callCount: Int
    /// The lines in each output.
    let lines: [[String]]
  }

  private final class Process {
    var follower: Follower
    init(_ follower: consuming Follower) { self.follower = follower }
  }

  let scenario: Scenario
  let machine: SimulatedMachine
  private let directory: TemporaryDirectory
  private let plant: PlantedFault?
  let log: SimulatedLog
  private(set) var outputs: [SimulatedOutput] = []
  private var process: Process?
  private var mailbox: ScriptedMailbox?
  private let messages = Guarded<[String]>([])
  /// The messages of runs, as far as these were alive.
  private(set) var said: [String] = []
  /// Lines that runs have lost for each output, by their own accounts: after a kill, a run can't report what
  /// found no room any more.
  private(set) var dropped: [Int]

  init(_ scenario: Scenario, _ plant: PlantedFault? = nil) throws {
    self.scenario = scenario
    self.plant = plant
    dropped = scenario.outputs.map { _ in 0 }
    directory = try TemporaryDirectory(under: access("/dev/shm", W_OK) == 0 ? "/dev/shm" : nil)
    machine = SimulatedMachine(checkpoint: directory.file("checkpoint"))
    log = try SimulatedLog(
      directory.file("log"), byteCount: scenario.logByteCount, keepsGroups: scenario.openTransactionsMax > 100
    )
    for (index, output) in scenario.outputs.enumerated() {
      outputs.append(SimulatedOutput(output, directory.file("output\(index)")))
    }
    plant?.prepare(machine)
  }

  var checkpoint: String { directory.file("checkpoint") }

  /// Plays a scenario, and checks the results.
  ///
  /// - Returns: the course of the simulation.
  /// - Throws: `Failure` if a promise is broken.
  @discardableResult
  static func play(_ scenario: Scenario, _ plant: PlantedFault? = nil) throws -> Course {
    let simulation = try Simulation(scenario, plant)
    let machine = simulation.machine
    #if DEBUG
      try FaultPoint.$observer.withValue({ point in machine.pass(point) }) { try simulation.play() }
    #else
      try simulation.play()
    #endif
    return Course(
      killed: machine.killed, callCount: machine.allCallCount,
      lines: try simulation.outputs.map { try $0.lines().map(String.init) })
  }

  private func play() throws {
    // What is in the log before the first run begins isn't checked.
    try start()
    try read(4)
    for step in scenario.steps {
      if getenv("SPILLWAY_SIMULATION_SHOW") != nil { print("  .\(step)") }
      try perform(step)
    }
    try drain()
    try check()
  }

  private func perform(_ step: Scenario.Step) throws {
    switch step {
    case .write(let count): log.write(count)
    case .group: log.writeGroup()
    case .open(let fetches): log.begin(fetches: fetches)
    case .end(let index): log.end(index)
    case .flood: log.flood()
    case .restartWriter: try log.restart()
    case .read(let count): try read(count)
    case .loop(let number, let count): machine.step(number, count: count)
    case .loops: machine.stepAll()
    case .pass(let milliseconds): machine.clock.advance(nanoseconds: Int64(milliseconds) * 1_000_000)
    case .fillDisk(let byteCount): machine.bytesLeft = byteCount
    case .freeDisk: machine.bytesLeft = nil
    case .rename(let index, let tells):
      outputs[index % outputs.count].renameFile()
      if tells { mailbox?.post(.hangup) }
    case .truncate(let index):
      // While the disk is full, the run may still have to cut off a line that it could write only in part.
      if process != nil, machine.bytesLeft == nil {
        try outputs[index % outputs.count].truncateFile()
        machine.tearNothing()
      }
    case .flush: mailbox?.post(.flush)
    case .kill(let kill): machine.plan(kill)
    case .killNow: if process != nil { machine.die() }
    case .stop(let isHurried): try stop(isHurried: isHurried)
    case .start: try start()
    }
    try buryDead()
  }

  // MARK: The run

  private func start() throws {
    guard process == nil else { return }
    if getenv("SPILLWAY_SIMULATION_SHOW") != nil { show() }
    for output in outputs { output.setTimes(machine.clock.clock.now()) }
    try plant?.tamper(checkpoint, log.path)
    let mailbox = try ScriptedMailbox(machine.clock)
    do {
      process = Process(try makeFollower(mailbox))
      self.mailbox = mailbox
    } catch {
      if !machine.isDead, machine.bytesLeft == nil {
        throw Failure(description: "a run doesn't begin: \(error)")
      }
      try end()
    }
    try buryDead()
  }

  private func makeFollower(_ mailbox: ScriptedMailbox) throws -> Follower {
    var configuration = Configuration(input: InputConfiguration(.instance(log.path)))
    configuration.outputs = outputs.map { $0.configuration(scenario) }
    configuration.input.compatibility = VarnishVersion(6, 0)
    configuration.input.timeoutSeconds = scenario.timeoutSeconds
    configuration.input.openTransactionsMax = scenario.openTransactionsMax
    for index in configuration.outputs.indices {
      configuration.outputs[index].spoolBytes = scenario.spoolByteCount
    }
    configuration.process.drainSeconds = 0.1
    configuration.process.resume = checkpoint
    configuration.process.monitor = RunMonitor(say: { [messages, machine] line in
      if !machine.isDead { messages.withLock { $0.append(line) } }
    })
    let clock = machine.clock.clock
    let surroundings = Surroundings(
      system: machine.system, clock: clock.now, driver: machine, replaceSink: plant?.replaceSink,
      blockBytes: 1 << 10)
    var control = RunControl(configuration, mailbox: mailbox, clock: clock, surroundings: surroundings)
    let opened = try control.openOutputs()
    let instance = try control.attach(.instance(log.path), by: nil)
    return Follower(try Run(control, opened, canWait: false), instance, by: nil)
  }

  private func read(_ count: Int) throws {
    for _ in 0..<count {
      guard let process, !machine.isDead else { return }
      do {
        let event = try process.follower.step()
        if case .attached = event { log.attached.insert(log.writerNumber) }
        if process.follower.run.isEnding { return try stop(isHurried: false) }
      } catch {
        if !machine.isDead { throw Failure(description: "a run fails: \(error)") }
      }
    }
  }

  private func stop(isHurried: Bool) throws {
    guard let process else { return }
    if isHurried {
      mailbox?.post(.end)
      for _ in 0..<10 where !process.follower.run.isEnding { _ = try? process.follower.step() }
    }
    machine.freesDisk = !isHurried
    machine.beginWaiting()
    _ = process.follower.end()
    if machine.isStuck { throw Failure(description: "a run doesn't end") }
    if !machine.isDead {
      // The next run reads again what a hurried end has left.
      for (index, account) in process.follower.finalAccounts().enumerated() where !isHurried {
        dropped[index] += account.undelivered
      }
      try end()
    }
    try buryDead()
  }

  /// Prints the state that the next run finds.
  private func show() {
    guard let (found, damage) = try? CheckpointFile.read(checkpoint) else { return }
    print("--- \(damage) \(found.reading)")
    for output in found.outputs { print("    \(output.name) \(output.standing)") }
  }

  /// Collects the messages and losses of a run that has ended.
  private func end() throws {
    // A killed run's account isn't printed; the next run reports what it has dropped.
    if let process, !machine.isDead {
      for index in 0..<process.follower.run.routes.count {
        dropped[index] += process.follower.run.routes[index].ledger.refused
      }
    }
    process = nil
    mailbox = nil
    said += messages.withLock { all in
      defer { all = [] }
      return all
    }
    machine.spare()
    try machine.revive()
  }

  private func buryDead() throws {
    if machine.isDead { try end() }
  }

  /// Has a last run do all remaining work, and another run find nothing to do.
  private func drain() throws {
    machine.spare()
    machine.bytesLeft = nil
    log.endAll()
    for _ in 0..<2 {
      try start()
      for round in 0..<10 {
        try read(20)
        machine.stepAll()
        // A limit may have split a group; the rest waits until its time limit.
        machine.clock.advance(nanoseconds: round == 5 ? 130_000_000_000 : 1_000_000_000)
      }
      try stop(isHurried: false)
    }
  }
}
