import LogReading
import Platform
import Rendering
import Shipping
import Spool
import VarnishLog

/// The result of reading a run's configuration again.
enum ReloadAnswer: ~Copyable {
  /// It has mistakes, so nothing changes.
  case mistakes([String])
  case changes(ReloadChanges)
}

/// The difference between two configurations, with everything that is new made ready.
struct ReloadChanges: ~Copyable {
  /// What becomes of one output of the new configuration.
  enum Step {
    /// It goes on as it is: the route with this number.
    case keep(serial: Int)
    /// It is new or has changed; it can begin only when the outputs with these numbers have ended.
    case begin(after: [Int])
  }

  let configuration: Configuration
  /// For which log the new routes are made ready.
  let log: LogKind
  /// For each output, in the new order.
  let steps: [Step]
  /// For each output that begins, its route.
  var routes: FixedList<Route?>
  /// Names of settings that have changed, and that a running process keeps as they are.
  let fixedSettings: [String]
  /// The resources that this run has written to.
  let usedResources: Set<String>

  /// Whether a route goes on as it is.
  func keeps(_ serial: Int) -> Bool {
    steps.contains { if case .keep(serial) = $0 { true } else { false } }
  }
}

/// What is known of the log that a run reads.
struct LogKind: Equatable {
  /// The numbering of its tags; nil before the first log.
  var numbering: TagNumbering?
  /// The kind of binary files of its records.
  var binaryKind: BinaryKind?
  /// The numbering of its records by themselves, if it has no transactions.
  var single: TagNumbering?

  /// The numbering that decides about the rules.
  var native: TagNumbering? { single ?? numbering }
}

/// Reads a configuration again and makes ready what is new in it, on a thread of its own, without touching
/// anything that the run uses.
struct ReloadTask: Sendable {
  /// An output of the run, which takes entries or delivers its last ones.
  struct Present: Sendable {
    let serial: Int
    let configuration: OutputConfiguration
    let isDraining: Bool
  }

  let source: ConfigurationSource
  let running: Configuration
  let present: [Present]
  let log: LogKind
  let opener: OutputOpener
  let clock: RunClock
  /// The number of the first new route.
  let firstSerial: Int
  /// The resources that this run has written to before.
  let usedResources: Set<String>
  /// The sandbox that the process is in; nil if there is none.
  let sandboxPlan: SandboxPlan?
  /// Routes that an earlier task has made ready in vain, and that have to be closed first.
  let discarded: DiscardedRoutes?

  /// Reads the configuration, and makes the changes ready.
  func carryOut() -> ReloadAnswer {
    discarded?.close()
    switch source.read() {
    case .mistakes(let lines): return .mistakes(lines)
    case .configuration(let configuration): return changes(configuration)
    }
  }

  /// A mistake that shows only when an output is made ready.
  private struct Mistakes: Error { let lines: [String] }

  private func changes(_ configuration: Configuration) -> ReloadAnswer {
    let usedResources = present.reduce(into: usedResources) { resources, output in
      resources.formUnion(output.configuration.resources.map(\.identity))
    }
    let plan = self.plan(configuration, usedResources)
    let mistakes = plan.filter { $0.isNew }.flatMap { sandboxMistakes($0.output) }
    guard mistakes.isEmpty else { return .mistakes(mistakes) }
    do throws(Mistakes) {
      let routes = try makeRoutes(plan, configuration)
      return .changes(
        ReloadChanges(
          configuration: configuration, log: log, steps: plan.map(\.step), routes: routes,
          fixedSettings: running.fixedSettings(differingIn: configuration),
          usedResources: usedResources))
    } catch {
      return .mistakes(error.lines)
    }
  }

  // MARK: The difference

  /// What becomes of an output of the new configuration.
  private struct Planned {
    let output: OutputConfiguration
    let step: ReloadChanges.Step
    /// Whether it takes the place of an output that ends: it has the same name, or the same target.
    var isSuccessor = false
    /// Whether this run has written to its target.
    var appends = false

    var isNew: Bool {
      if case .begin = step { true } else { false }
    }
  }

  /// Finds out what becomes of the outputs.
  ///
  /// Outputs are told apart by their names; an output with the same name and another target, format or spool
  /// counts as a new one.
  private func plan(_ configuration: Configuration, _ usedResources: Set<String>) -> [Planned] {
    let taking = present.filter { !$0.isDraining }
    func goesOn(_ output: OutputConfiguration) -> Present? { taking.first { $0.configuration == output } }
    let kept = Set(configuration.outputs.compactMap { goesOn($0)?.serial })
    let ending = present.filter { !kept.contains($0.serial) }
    let endingResources = ending.map { Set($0.configuration.resources.map(\.identity)) }
    return configuration.outputs.map { output in
      if let present = goesOn(output) { return Planned(output: output, step: .keep(serial: present.serial)) }
      let resources = output.resources.map(\.identity)
      let others = zip(ending, endingResources).filter { !$1.isDisjoint(with: resources) }.map(\.0)
      let namesakes = taking.filter { $0.configuration.displayName == output.displayName }
      return Planned(
        output: output, step: .begin(after: others.map(\.serial)),
        isSuccessor: !namesakes.isEmpty || others.contains { !$0.isDraining },
        appends: !usedResources.isDisjoint(with: resources))
    }
  }

  /// Why the sandbox doesn't allow an output.
  private func sandboxMistakes(_ output: OutputConfiguration) -> [String] {
    guard let sandboxPlan else { return [] }
    var needs = SandboxPlan()
    needs.add(output)
    return sandboxPlan.shortcomings(for: needs.withoutLinks).map {
      "\(output.displayName): \($0): the process has limited itself to what it needed at its start; "
        + "a restart changes that"
    }
  }

  // MARK: What is new

  private func makeRoutes(
    _ plan: [Planned], _ configuration: Configuration
  ) throws(Mistakes) -> FixedList<Route?> {
    var routes = FixedList<Route?>(count: plan.count) { _ in nil }
    var lines: [String] = []
    for (index, planned) in plan.enumerated() where planned.isNew {
      do throws(RunError) {
        routes[index] = try makeRoute(planned, configuration, serial: firstSerial + index)
      } catch {
        lines.append("\(planned.output.displayName): \(error)")
      }
    }
    guard !lines.isEmpty else { return routes }
    DiscardedRoutes(routes).close()
    throw Mistakes(lines: lines)
  }

  private func makeRoute(
    _ planned: Planned, _ configuration: Configuration, serial: Int
  ) throws(RunError) -> Route {
    let output = planned.output
    let content = output.makeContent()
    if let single = log.single, let kind = log.binaryKind, let binary = content.binary {
      let takesSingles = output.takesSingles(running.input, running.input.rules(for: single))
      _ = binary.begin(takesSingles ? BinaryLogFile.kind(ofOld: single) : kind)
    } else if let kind = log.binaryKind {
      _ = content.binary?.begin(kind)
    }
    let outlet = try makeOutlet(planned, content, limitBytes: configuration.spoolBytes(of: output))
    var route = Route(
      output, serial: serial, to: outlet, content: content,
      waitsForRoom: opener.waitsForRoom(output), isSuccessor: planned.isSuccessor, now: clock.now())
    route.isNew = true
    guard let numbering = log.numbering else { return route }
    do throws(RunError) {
      try route.prepare(running.input, numbering, single: log.single)
    } catch {
      route.discard()
      throw error
    }
    return route
  }

  private func makeOutlet(
    _ planned: Planned, _ content: EntryContent, limitBytes: Int
  ) throws(RunError) -> Outlet {
    if case .begin(let others) = planned.step, !others.isEmpty {
      return .late(
        try LateOutput(
          planned.output, content: content, spoolBytes: limitBytes, appends: planned.appends,
          opener))
    }
    let sink = try opener.openSink(planned.output, content, appends: planned.appends)
    let spool = try opener.openSpool(planned.output, content, limitBytes: limitBytes)
    return .open(try opener.begin(planned.output, sink, spool))
  }
}

/// Routes that were made ready but to which nothing was written.
final class DiscardedRoutes: @unchecked Sendable {
  // Used by the one thread that closes them.
  private var routes: FixedList<Route?>

  init(_ routes: consuming FixedList<Route?>) { self.routes = routes }

  /// Closes the outputs that the routes have open, on the thread that has opened them or would open them
  /// again.
  func close() {
    for index in 0..<routes.count {
      guard var route = routes[index].take() else { continue }
      route.discard()
    }
  }
}

extension Route {
  /// Ends a route to which nothing was written, and waits until its output is closed.
  fileprivate mutating func discard() {
    guard case .open(let output)? = retire() else { return }
    // There is nothing to deliver; the time is for the output's thread to get a processor, and for its sink
    // to be closed.
    _ = output.join(drainSeconds: 10)
  }
}
