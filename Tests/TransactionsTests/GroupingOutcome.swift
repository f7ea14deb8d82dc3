import TestSupport
import Transactions
import VarnishLog

/// A copy of a group's member.
struct GroupMember: Equatable, CustomStringConvertible {
  var vxid: UInt64
  var parentVXID: UInt64
  var level: Int
  var type: TransactionType
  var reason: TransactionReason
  var side: Side
  var isForced: Bool
  /// The bytes of the records whose tags are kept.
  var records: [[UInt8]]

  var description: String {
    "  \(vxid) of \(parentVXID), level \(level), \(type), \(reason), \(side)\(isForced ? ", forced" : "")"
      + records.map { record in
        "\n    " + String(decoding: record.map { (32...126).contains($0) ? $0 : 46 }, as: UTF8.self)
      }.joined()
  }
}

extension GroupMember {
  /// The members of a group.
  static func members<Layout>(
    of group: TransactionGroup<Layout>, _ scenario: GroupingScenario
  ) -> [GroupMember] {
    (0..<group.count).map { index in
      let transaction = group[index]
      var records: [[UInt8]] = []
      var cursor = transaction.makeCursor()
      while let record = cursor.next() {
        guard scenario.kept.contains(record.tag, record.payload.buffer) else { continue }
        records.append(Array(record.bytes.buffer))
      }
      return GroupMember(
        vxid: transaction.vxid, parentVXID: transaction.parentVXID, level: transaction.level,
        type: transaction.type, reason: transaction.reason, side: transaction.side,
        isForced: transaction.isForced, records: records)
    }
  }
}

/// The outcome of a scenario.
struct GroupingOutcome {
  /// After each step: the groups that were handed over, and all counts.
  private var steps: [(groups: [[GroupMember]], statistics: GroupingStatistics)] = []
  /// How many transactions had begun and were left at the end.
  private var leftCount = 0

  var groupCount: Int { steps.reduce(0) { $0 + $1.groups.count } }

  /// Plays a scenario with the model.
  init(modelOf scenario: GroupingScenario) {
    var model = GroupingModel(scenario)
    for step in scenario.steps {
      let before = model.groups.count
      switch step {
      case .batch(let records, _): model.add(unit: records)
      case .run(let records): model.add(each: records)
      case .wait(let nanoseconds): model.now += nanoseconds
      case .expire: model.expire()
      case .flush: model.flush()
      }
      model.deliver()
      if case .batch(_, isTorn: true) = step { model.tear() }
      steps.append((Array(model.groups[before...]), model.statistics))
    }
    leftCount = model.begunCount
  }

  /// Plays a scenario with the grouper.
  ///
  /// - Parameter picks: whether the grouper also gets the records that a source has picked out of each piece.
  init<Layout: RecordLayout>(of scenario: GroupingScenario, _: Layout.Type, picks: Bool = false) {
    let tags = TagTable(scenario.layout == .twoWord ? .v41 : .v73)
    var grouper = Grouper<Layout>(options: scenario.groupingOptions, tags: tags)
    let list = PickList<Layout>()
    defer { list.deallocate() }
    func picked(_ run: RecordRun<Layout>) -> PickedRecords<Layout>? {
      picks ? Self.picked(of: run, scenario, list) : nil
    }
    for step in scenario.steps {
      var groups: [[GroupMember]] = []
      switch step {
      case .batch(let records, let isTorn):
        Self.withRun(records, scenario) { run in
          guard grouper.add(run, picked(run)) else { return }
          Self.take(&grouper, scenario, &groups)
        }
        if isTorn { grouper.discardTornPiece() }
      case .run(let records):
        Self.withRun(records, scenario) { run in
          guard grouper.addEach(run, picked(run)) else { return }
          Self.take(&grouper, scenario, &groups)
        }
      case .wait(let nanoseconds): grouper.nowNanoseconds += nanoseconds
      case .expire:
        grouper.expire()
        Self.take(&grouper, scenario, &groups)
      case .flush:
        grouper.flush()
        Self.take(&grouper, scenario, &groups)
      }
      steps.append((groups, grouper.statistics))
    }
    leftCount = grouper.discardOpen()
  }

  /// The first difference from an expected outcome; nil if there is none.
  func difference(from expected: GroupingOutcome) -> String? {
    for (index, (actual, expected)) in zip(steps, expected.steps).enumerated() {
      if actual.groups != expected.groups {
        return "at step \(index + 1), expected groups\n\(Self.text(expected.groups))\n"
          + "but got\n\(Self.text(actual.groups))"
      }
      if actual.statistics != expected.statistics {
        return "at step \(index + 1), expected \(expected.statistics)\nbut got \(actual.statistics)"
      }
    }
    guard leftCount != expected.leftCount else { return nil }
    return "expected \(expected.leftCount) to be left open but got \(leftCount)"
  }

  private static func text(_ groups: [[GroupMember]]) -> String {
    groups.map { $0.map(\.description).joined(separator: "\n") }.joined(separator: "\n  and\n")
  }

  // MARK: Feeding

  private static func take<Layout>(
    _ grouper: inout Grouper<Layout>, _ scenario: GroupingScenario, _ groups: inout [[GroupMember]]
  ) {
    while let group = grouper.next() { groups.append(GroupMember.members(of: group, scenario)) }
  }

  /// The records that a source picks out of a run: those kept, those with a meaning for grouping, and now and
  /// then one in vain.
  ///
  /// Nil if the run contains more than one transaction.
  private static func picked<Layout>(
    of run: RecordRun<Layout>, _ scenario: GroupingScenario, _ list: PickList<Layout>
  ) -> PickedRecords<Layout>? {
    let brackets = ["Begin", "Link", "End"].map { scenario.tags[$0] }
    var numbers: Set<UInt64> = []
    var count = 0
    var cursor = run.makeCursor()
    while let record = cursor.next() {
      numbers.insert(record.vxid)
      let isInVain = record.payload.count == 3
      guard
        isInVain || brackets.contains(record.tag)
          || scenario.kept.contains(record.tag, record.payload.buffer)
      else { continue }
      count = list.put(record, at: count)
    }
    return numbers.count == 1 ? list.picked(count) : nil
  }

  /// Calls `body` with records in memory that is overwritten afterwards, as by a source that moves on.
  ///
  /// - Parameter place: the place of the records in the log.
  static func withRun<Layout>(
    _ records: [SampleRecord], _ scenario: GroupingScenario, at place: UInt64 = 0,
    _ body: (RecordRun<Layout>) -> Void
  ) {
    var words = records.flatMap { $0.words(scenario.layout) }
    words.withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      body(
        RecordRun(
          start: UnsafeRawPointer(start), byteCount: bytes.count, place: place,
          shape: shape(records, scenario.tags)))
      bytes.initializeMemory(as: UInt8.self, repeating: 0xA5)
    }
  }

  /// The shape that a source may claim for a run.
  private static func shape<Layout>(
    _ records: [SampleRecord], _ tags: SampleTags
  ) -> RecordRun<Layout>.Shape {
    let ofMeaning = records.filter { ["Begin", "Link", "End"].map { tags[$0] }.contains($0.tag) }
    guard records.count > 1, records[0].tag == tags["Begin"], records.last?.tag == tags["End"],
      ofMeaning.dropFirst().dropLast().allSatisfy({ $0.tag == tags["Link"] }),
      records.allSatisfy({ $0.vxid == records[0].vxid })
    else { return .unknown }
    return ofMeaning.count > 2 ? .linked : .plain
  }
}
