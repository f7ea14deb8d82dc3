import LogReading
import Platform
import Rendering
import Shipping
import Spool
import Transactions
import VarnishLog

/// A reload of the configuration that is under way.
///
/// ```
/// SIGHUP ──▶ the configuration is read, what is new is opened (on a thread of its own)
///        ──▶ mistakes: nothing changes
///        ──▶ the routes are replaced as a whole, between two turns of the reading loop
///              unchanged: the same route        new: its output is open
///              removed, changed: its output drains (on a thread of its own)
///              changed, to the same target: entries wait in memory until the former output has ended
/// ```
struct Reload {
  let errand: Errand<ReloadAnswer>
  /// Whether another reload was asked for meanwhile: the configuration that was read may be older than that
  /// request.
  var isWantedAgain = false
}

extension Run {
  /// Begins to read the configuration again; if a reload is under way, another one follows it.
  mutating func beginReload() {
    guard control.source != nil, !isEnding else { return }
    guard reload == nil else {
      reload?.isWantedAgain = true
      return
    }
    control.announceReload()
    // The next group of each log has been made for the present outputs.
    guard !input.merges else { return endReload("not read again while captured logs are put in order") }
    startReading()
  }

  private mutating func startReading(closing discarded: DiscardedRoutes? = nil) {
    guard let source = control.source else { return }
    var present: [ReloadTask.Present] = []
    for index in 0..<routes.count {
      present.append(
        ReloadTask.Present(
          serial: routes[index].serial, configuration: routes[index].configuration, isDraining: false))
    }
    present += retired.map {
      ReloadTask.Present(serial: $0.serial, configuration: $0.configuration, isDraining: true)
    }
    let task = ReloadTask(
      source: source, running: control.configuration, present: present, log: log,
      opener: control.opener(canWait: canWait), clock: control.clock, firstSerial: nextSerial,
      usedResources: usedResources, sandboxPlan: control.sandboxPlan,
      discarded: discarded)
    do throws(Errno) {
      reload = Reload(
        errand: try Errand { task.carryOut() }, isWantedAgain: reload?.isWantedAgain ?? false)
    } catch {
      endReload("no thread to read it: \(error)")
    }
  }

  /// Ends a reload without changing anything.
  private mutating func endReload(_ reason: String) {
    guard let source = control.source else { return }
    control.messages.say("\(source.name): \(reason); the running configuration goes on")
    noteReloaded()
  }

  /// Reports that a reload is over, and begins the next one if it was asked for.
  private mutating func noteReloaded() {
    let isWantedAgain = reload?.isWantedAgain ?? false
    reload = nil
    control.announceReloaded()
    observation?.expire()
    if isWantedAgain { beginReload() }
  }

  // MARK: Between two turns

  /// Whether there is something to look at: a reload, outputs that end, or outputs that have to wait.
  var isReloading: Bool { reload != nil || !retired.isEmpty || hasUnsettledRoutes }

  /// Goes on with a reload while there is no log.
  mutating func lookAtReload() {
    guard isReloading, let changes = takeChanges() else { return }
    replaceRoutes(changes)
  }

  /// Goes on with a reload while a log is read: called between two runs of records, when every group that was finished
  /// has been handed on.
  mutating func lookAtReload<Source: LogSource & ~Copyable>(
    _ reading: inout Reading<Source.Layout>, from source: inout Source
  ) {
    guard isReloading, let changes = takeChanges() else { return }
    for index in 0..<routes.count where !changes.keeps(routes[index].serial) {
      leave(index, changes, reading)
    }
    replaceRoutes(changes)
    regroup(&reading, from: &source)
  }

  /// Looks whether a reload is ready, and returns the changes to make now.
  private mutating func takeChanges() -> ReloadChanges? {
    settleRoutes()
    lookAtRetired()
    guard let answer = reload?.errand.take() else { return nil }
    switch consume answer {
    case .mistakes(let lines):
      for line in lines { control.messages.sayBare(line) }
      endReload(lines.count == 1 ? "a mistake" : "\(lines.count) mistakes")
      return nil
    case .changes(let changes):
      // Another log was attached meanwhile, for which the changes weren't made ready.
      guard changes.log == log else {
        startReading(closing: DiscardedRoutes(changes.routes))
        return nil
      }
      return changes
    }
  }

  private mutating func settleRoutes() {
    guard hasUnsettledRoutes else { return }
    hasUnsettledRoutes = false
    for index in 0..<routes.count where !routes[index].isSettled {
      routes[index].settle()
      hasUnsettledRoutes = hasUnsettledRoutes || !routes[index].isSettled
    }
  }

  /// Reports the outputs that have ended since a reload retired them.
  mutating func lookAtRetired() {
    for index in retired.indices where retired[index].retirement.isSettled && !retired[index].isSaid {
      retired[index].isSaid = true
      let account = retired[index].account
      control.note(retired[index].retirement.report?.failure?.description, isComplete: account.isComplete)
      ended.note(account)
      if saysAccounts { say(account, of: retired[index].name, state: "ended") }
    }
    retired.removeAll { $0.isSaid && $0.retirement.hasEnded }
  }

  // MARK: The change

  /// Takes over the grouper's counts for a route that ends.
  private mutating func leave<Layout: RecordLayout>(
    _ index: Int, _ changes: borrowing ReloadChanges, _ reading: borrowing Reading<Layout>
  ) {
    guard let way = routes[index].grouper else { return }
    routes[index].count(reading.groupers[way].statistics)
    let count = reading.groupers[way].openCount
    guard count > 0, let numbering = log.numbering,
      let successor = changes.configuration.outputs.first(where: { $0.displayName == routes[index].name }),
      let next = successor.groupingOptions(input, input.rules(for: numbering)),
      next != reading.ways[way]
    else { return }
    // The groups of the new grouping have begun without them.
    routes[index].ledger.incompleteByReload += count
    control.messages.say(
      "\(routes[index].name): \(count) transactions were under way when its grouping changed, and are left out"
    )
  }

  /// Replaces all routes at once: from now on, the new routes take the groups that are finished.
  private mutating func replaceRoutes(_ changes: consuming ReloadChanges) {
    let steps = changes.steps
    var begun = FixedList<Route?>(count: 0) { _ in nil }
    swap(&begun, &changes.routes)
    var former = FixedList<Route>(count: 0) { _ in preconditionFailure("there are none") }
    swap(&former, &routes)
    var present = former.opened()
    let serials = Dictionary(
      uniqueKeysWithValues: (0..<present.count).map { (present[$0]?.serial ?? -1, $0) })
    routes = FixedList(count: steps.count) { index in
      var route: Route?
      if case .keep(let serial) = steps[index], let former = serials[serial] {
        route = present[former].take()
      } else {
        route = begun[index].take()
      }
      guard let route else { preconditionFailure("each step has a route") }
      return route
    }
    shareCaptures()
    let retiredCount = retired.count
    let endedNames = retire(&present)
    beginEnding(retired[retiredCount...].map(\.retirement), lateOutputs(steps))
    nextSerial += steps.count
    usedResources = changes.usedResources
    tell(changes.configuration, changes.fixedSettings, steps, endedNames: endedNames)
    control.adopt(changes.configuration)
    nextReport = nil
    hasReloaded = true
    noteReloaded()
  }

  /// Retires the outputs that are no longer wanted, and returns their names.
  private mutating func retire(_ routes: inout FixedList<Route?>) -> [String] {
    var names: [String] = []
    for index in 0..<routes.count {
      guard var route = routes[index].take() else { continue }
      names.append(route.name)
      guard let outlet = route.retire() else { continue }
      retired.append(
        RetiredRoute(
          serial: route.serial, name: route.name, configuration: route.configuration, ledger: route.ledger,
          retirement: Retirement(
            outlet, drainSeconds: control.configuration.process.drainSeconds)))
    }
    return names
  }

  /// The outputs that can't be opened yet, each with the outputs that must end before.
  private mutating func lateOutputs(
    _ steps: [ReloadChanges.Step]
  ) -> [(output: LateOutput, others: [Retirement])] {
    var lateOutputs: [(output: LateOutput, others: [Retirement])] = []
    for index in steps.indices {
      guard case .begin(let others) = steps[index], let late = routes[index].late else { continue }
      lateOutputs.append((late, retired.filter { others.contains($0.serial) }.map(\.retirement)))
    }
    hasUnsettledRoutes = hasUnsettledRoutes || !lateOutputs.isEmpty
    return lateOutputs
  }

  /// Starts the threads of outputs that end and of outputs that follow them, on another thread, as there may
  /// be many.
  private func beginEnding(
    _ retirements: [Retirement], _ lateOutputs: [(output: LateOutput, others: [Retirement])]
  ) {
    guard !retirements.isEmpty || !lateOutputs.isEmpty else { return }
    let errand = try? Errand { Self.begin(retirements, lateOutputs) }
    if errand == nil { Self.begin(retirements, lateOutputs) }
  }

  private static func begin(
    _ retirements: [Retirement], _ lateOutputs: [(output: LateOutput, others: [Retirement])]
  ) {
    for retirement in retirements { retirement.begin() }
    for (output, others) in lateOutputs { output.begin(after: others) }
  }

  /// Reports in one line what has changed, and in one line for each setting what can't change.
  private func tell(
    _ configuration: Configuration, _ fixedSettings: [String], _ steps: [ReloadChanges.Step],
    endedNames: [String]
  ) {
    guard let source = control.source else { return }
    for name in fixedSettings {
      control.messages.say(
        "\(source.name): \(name): what has changed counts from the next start on; the running process keeps it"
      )
    }
    let names = configuration.outputs.map(\.displayName)
    let begun = zip(names, steps).compactMap { name, step in
      if case .begin = step { name } else { nil }
    }
    let changed = begun.filter(endedNames.contains)
    let parts = [
      ("changed", changed), ("new", begun.filter { !changed.contains($0) }),
      ("removed", endedNames.filter { !changed.contains($0) }),
    ].filter { !$0.1.isEmpty }.map { "\($0.1.joined(separator: ", ")) \($0.0)" }
    control.messages.say(
      "\(source.name): read again: "
        + (parts.isEmpty ? "no output has changed" : parts.joined(separator: "; ")))
  }

  // MARK: Grouping

  /// Makes the groupers fit the routes: groupers that are still wanted go on, with their open transactions;
  /// others begin here.
  private mutating func regroup<Source: LogSource & ~Copyable>(
    _ reading: inout Reading<Source.Layout>, from source: inout Source
  ) {
    guard let numbering = log.numbering else { return }
    let place = source.nextPlace
    var former = Reading<Source.Layout>()
    swap(&former, &reading)
    let (formerWays, wereLate, tags) = (former.ways, former.isLate, TagTable(numbering))
    reading.strays = former.strays
    var groupers = former.groupers.opened()
    let ways = chooseGroupers(for: numbering, single: source.singleNumbering)
    reading.ways = ways.all
    reading.takesRecords = ways.takesRecords
    reading.isLate = ways.all.map { way in
      formerWays.firstIndex(of: way).map { wereLate[$0] } ?? true
    }
    reading.groupers = FixedList(count: ways.all.count) { way in
      let options = options(for: way, of: ways.all)
      guard let index = formerWays.firstIndex(of: ways.all[way]), var grouper = groupers[index].take() else {
        return Grouper(options: options, tags: tags)
      }
      for index in 0..<routes.count where routes[index].grouper == way && routes[index].isNew {
        let isComplete = grouper.kept.contains(routes[index].kept)
        routes[index].join(grouper.statistics, completeFrom: isComplete ? 0 : place)
      }
      grouper.keep(options.kept)
      return grouper
    }
    letPick(&reading)
    for index in 0..<routes.count { routes[index].isNew = false }
    source.includesUnattributed = reading.takesRecords
    source.pick(reading.wish, tags)
  }
}

/// The number of outputs that have ended in the course of a run, and the sum of their accounts.
struct EndedOutputs: Sendable {
  private(set) var count = 0
  private(set) var account = Ledger()

  mutating func note(_ other: Ledger) {
    count += 1
    account += other
  }
}
