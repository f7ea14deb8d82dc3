import TestSupport
import Testing
import Transactions
import VarnishLog

/// A log is read again from a place at which a transaction was still open.
///
/// The resulting groups are those that came out after that place the first time, in the same order and
/// complete at the same places, even if transactions were ended by force.
struct RepetitionTests {
  /// Logs as a server writes them.
  @Test(arguments: [12, 13, 14] as [UInt64])
  func `what was open at a place comes out again as it did`(seed: UInt64) {
    let tally = Self.check(seed: seed, faultPercentages: [0]) { $0 }
    // Otherwise the logs would prove nothing.
    #expect(tally.forcedCount > Self.caseCount)
    #expect(tally.groupCount > Self.caseCount)
    #expect(tally.laterStartCount > Self.caseCount / 6)
  }

  /// In logs with mistakes, only the reason in one kind of note differs: a link to a transaction that was
  /// another's child and is finished is reported as too late, because its parent is no longer known.
  @Test(arguments: [22, 23] as [UInt64])
  func `a log with mistakes comes out again as it did, but for the reason of a note`(seed: UInt64) {
    Self.check(seed: seed, faultPercentages: [3, 15, 50]) { $0.withoutReasonOfRefusal }
  }

  @Test func `without being told what was ended by force it comes out otherwise`() {
    var generator = ScenarioGenerator(SeededGenerator(seed: 12), faultPercentages: [0])
    let isFound = (1...500).contains { _ in
      let scenario = generator.next()
      guard scenario.layout == .twoWord else { return false }
      let original = Reading<NarrowRecords>(scenario)
      return original.marks.contains {
        original.repeated(from: $0, forced: []) != Array(original.groups[$0.groupCount...])
      }
    }
    #expect(isFound)
  }

  // MARK: Comparing

  /// How many logs there are for each seed; the environment variable `SPILLWAY_GROUPING_CASES` asks for more.
  private static var caseCount: Int { GroupingModelTests.caseCount / 2 }

  /// Counts of what the logs contained, to show that the test isn't empty.
  private struct Tally {
    var forcedCount = 0
    var groupCount = 0
    /// Logs of which a part in front of an open transaction isn't read again.
    var laterStartCount = 0
  }

  /// Reads random logs, and each again from some of its steps, until a result differs.
  @discardableResult
  private static func check(
    seed: UInt64, faultPercentages: [Int], _ normalized: (RepeatedGroup) -> RepeatedGroup
  ) -> Tally {
    var generator = ScenarioGenerator(SeededGenerator(seed: seed), faultPercentages: faultPercentages)
    var tally = Tally()
    for number in 1...caseCount {
      var scenario = generator.next()
      // Records that were torn out of a ring can't be read again.
      scenario.steps = scenario.steps.map { step in
        if case .batch(let records, true) = step { .batch(records, isTorn: false) } else { step }
      }
      guard difference(scenario, marksMax: 3, normalized, &tally) != nil else { continue }
      let smallest = scenario.shrunk { difference($0, marksMax: .max, normalized, &tally) != nil }
      let problem = difference(smallest, marksMax: .max, normalized, &tally) ?? ""
      Issue.record("log \(number) of seed \(seed):\n\(smallest)\n\(problem)")
      break
    }
    return tally
  }

  /// The first difference; nil if there is none.
  private static func difference(
    _ scenario: GroupingScenario, marksMax: Int, _ normalized: (RepeatedGroup) -> RepeatedGroup,
    _ tally: inout Tally
  ) -> String? {
    scenario.layout == .twoWord
      ? difference(Reading<NarrowRecords>(scenario), marksMax: marksMax, normalized, &tally)
      : difference(Reading<WideRecords>(scenario), marksMax: marksMax, normalized, &tally)
  }

  private static func difference<Layout>(
    _ original: Reading<Layout>, marksMax: Int, _ normalized: (RepeatedGroup) -> RepeatedGroup,
    _ tally: inout Tally
  ) -> String? {
    // Spread evenly, and at different steps in each log.
    let interval = max(1, original.marks.count / marksMax)
    for mark in original.marks where (mark.step + original.groups.count) % interval == 0 {
      let expected = original.groups[mark.groupCount...].map(normalized)
      let repeated = original.repeated(from: mark, forced: original.forced).map(normalized)
      tally.groupCount += repeated.count
      guard repeated != expected else { continue }
      return """
        after step \(mark.step + 1) at \(mark.through), first open at \(mark.start), expected
        \(expected.map(\.description).joined(separator: "\n"))
        but got
        \(repeated.map(\.description).joined(separator: "\n"))
        unfinished \(mark.unfinished)
        forced \(original.forced)
        """
    }
    tally.forcedCount += original.forced.count
    if original.marks.contains(where: { $0.start > 0 && !$0.unfinished.isEmpty }) {
      tally.laterStartCount += 1
    }
    return nil
  }
}

/// A group, and the place behind which it was complete.
private struct RepeatedGroup: Equatable, CustomStringConvertible {
  let place: UInt64
  var members: [GroupMember]

  var description: String { "at \(place)\n" + members.map(\.description).joined(separator: "\n") }

  /// The group without the notes that give the reason why a link was refused.
  var withoutReasonOfRefusal: RepeatedGroup {
    var group = self
    for index in members.indices {
      group.members[index].records = members[index].records.map { Self.isRefusal($0) ? [] : $0 }
    }
    return group
  }

  private static func isRefusal(_ record: [UInt8]) -> Bool {
    ["duplicate link (", "link too late ("].contains { reason in
      // Behind a header of either layout.
      [8, 12].contains { record.dropFirst($0).starts(with: reason.utf8) }
    }
  }
}

/// The first reading of a log.
private struct Reading<Layout: RecordLayout> {
  /// A state of reading: how far it had come, and what was open.
  struct Mark {
    let step: Int
    let through: UInt64
    /// The place at which the first open transaction begins.
    let start: UInt64
    let unfinished: [UnfinishedTransaction]
    /// How many groups had been handed over.
    let groupCount: Int
  }

  let scenario: GroupingScenario
  private(set) var marks: [Mark] = []
  private(set) var groups: [RepeatedGroup] = []
  private(set) var forced: [ForcedTransaction] = []

  init(_ scenario: GroupingScenario) {
    self.scenario = scenario
    var grouper = Self.grouper(scenario)
    grouper.notesForced = true
    var through: UInt64 = 0
    for (index, step) in scenario.steps.enumerated() {
      switch step {
      case .batch(let records, _): through += add(records, at: through, each: false, to: &grouper)
      case .run(let records): through += add(records, at: through, each: true, to: &grouper)
      case .wait(let nanoseconds): grouper.nowNanoseconds += nanoseconds
      case .expire: grouper.expire()
      case .flush: grouper.flush()
      }
      take(&grouper)
      forced += grouper.takeForced()
      marks.append(
        Mark(
          step: index, through: through, start: grouper.firstUnfinishedPlace ?? through,
          unfinished: grouper.unfinished, groupCount: groups.count))
    }
  }

  /// The groups from reading the rest of the log again.
  func repeated(from mark: Mark, forced: [ForcedTransaction]) -> [RepeatedGroup] {
    var again = self
    again.groups = []
    var grouper = Self.grouper(scenario)
    grouper.beginRepetition(of: mark.unfinished, at: mark.through, forced.filter { $0.place > mark.start })
    var place: UInt64 = 0
    for (var records, standAlone) in pieces {
      // The start may lie within a run that a reader had found together.
      while let first = records.first, place < mark.start {
        place += byteCount([first])
        records.removeFirst()
      }
      if records.isEmpty { continue }
      place += again.add(records, at: place, each: standAlone, to: &grouper)
      again.take(&grouper)
    }
    return again.groups
  }

  /// The log as a reader finds it that begins when all of it is there: more records of a transaction
  /// together.
  private var pieces: [(records: [SampleRecord], standAlone: Bool)] {
    var pieces: [(records: [SampleRecord], standAlone: Bool)] = []
    for step in scenario.steps {
      switch step {
      case .batch(let records, _): pieces.append((records, false))
      case .run(let records):
        if let last = pieces.last, last.standAlone, let record = last.records.last,
          record.vxid == records[0].vxid, record.tag != scenario.tags["End"]
        {
          pieces[pieces.count - 1].records += records
        } else {
          pieces.append((records, true))
        }
      case .wait, .expire, .flush: break
      }
    }
    return pieces
  }

  private static func grouper(_ scenario: GroupingScenario) -> Grouper<Layout> {
    Grouper(options: scenario.groupingOptions, tags: TagTable(scenario.layout == .twoWord ? .v41 : .v73))
  }

  private func byteCount(_ records: [SampleRecord]) -> UInt64 {
    UInt64(records.reduce(0) { $0 + $1.words(scenario.layout).count } * 4)
  }

  /// - Returns: the size of the added part of the log, in bytes.
  private mutating func add(
    _ records: [SampleRecord], at place: UInt64, each: Bool, to grouper: inout Grouper<Layout>
  ) -> UInt64 {
    var byteCount: UInt64 = 0
    GroupingOutcome.withRun(records, scenario, at: place) { (run: RecordRun<Layout>) in
      byteCount = UInt64(run.byteCount)
      let hasGroups = each ? grouper.addEach(run) : grouper.add(run)
      if hasGroups { take(&grouper) }
    }
    return byteCount
  }

  private mutating func take(_ grouper: inout Grouper<Layout>) {
    while let group = grouper.next() {
      groups.append(
        RepeatedGroup(place: grouper.completionPlace, members: GroupMember.members(of: group, scenario)))
    }
  }
}
