import TestSupport
import Transactions
import VarnishLog

/// Makes scenarios: trees of transactions as a server logs them, corrupted to a varying degree, cut into
/// pieces and shuffled.
struct ScenarioGenerator {
  var random: SeededGenerator

  /// The records of each transaction of the scenario being made, in order.
  private var streams: [[SampleRecord]] = []
  /// The numbers that were given to transactions.
  private var numbers: [UInt64] = []
  /// The maximum distance between neighbouring numbers.
  private var strideMax: UInt64 = 1
  private var layout = SampleLayout.twoWord
  /// The percentage of corrupted records in the present scenario.
  private var faultPercentage = 0

  /// The percentages of corrupted records to choose from.
  private let faultPercentages: [Int]

  init(_ random: SeededGenerator, faultPercentages: [Int] = [0, 3, 15, 50]) {
    self.random = random
    self.faultPercentages = faultPercentages
  }

  private var tags: SampleTags { layout == .twoWord ? .v7 : .v8 }

  mutating func next() -> GroupingScenario {
    layout = chance(50) ? .twoWord : .threeWord
    faultPercentage = pick(faultPercentages)
    numbers = [UInt64.random(in: 1...3, using: &random)]
    strideMax = pick([1, 2, 10_000_000])
    streams = []
    let transactionsMax = Int.random(in: 1...14, using: &random)
    while streams.count < transactionsMax {
      grow(chance(60) ? "sess" : "req", parent: 0, reason: chance(50) ? "HTTP/1" : "rxreq", depth: 0)
    }
    var scenario = GroupingScenario(layout: layout, options: options())
    if chance(30) { scenario.kept = kept() }
    scenario.steps = steps()
    return scenario
  }

  private mutating func options() -> GroupingOptions {
    let wantsClient = chance(70)
    var options = GroupingOptions(
      grouping: pick([.vxid, .request, .session]),
      candidateRule: pick([.everything, .bySide, .bySideAndLevel]), wantsClient: wantsClient,
      wantsBackend: !wantsClient || chance(50), wantsESI: chance(50))
    // With limits around 64, there is room at first, and then there isn't.
    options.openTransactionsMax = chance(40) ? 1000 : pick([1, 2, 3, 5, 8, 64, 66, 70])
    options.timeoutNanoseconds = chance(5) ? 0 : pick([1, 5, 20, 120_000_000_000])
    return options
  }

  private mutating func kept() -> KeptRecords {
    var kept = KeptRecords(tags: TagSet())
    for name in ["Begin", "Link", "End", "VSL", "ReqURL", "VCL_call"] where chance(60) {
      kept.tags.insert(tags[name])
    }
    for name in ["ReqURL", "VCL_call", "Debug"] where chance(50) { kept.beginnings[tags[name]] = "/bcd" }
    return kept
  }

  // MARK: Transactions

  /// Adds a transaction and those that it leads to.
  private mutating func grow(
    _ type: String, parent: UInt64, reason: String, depth: Int, as given: UInt64? = nil
  ) {
    let vxid = given ?? newVXID()
    let side: SampleRecord.Side = type == "bereq" ? .backend : .client
    let place = streams.count
    streams.append([])
    let level = reason == "esi" && chance(80) ? " \(depth)" : ""
    var records = [record(vxid, side, "Begin", "\(type) \(parent) \(reason)\(level)")]
    for (childType, childReason) in children(of: type) where depth < 5 {
      addFiller(to: &records, vxid, side)
      let child = newVXID()
      records.append(record(vxid, side, "Link", "\(childType) \(child) \(childReason)"))
      grow(childType, parent: vxid, reason: childReason, depth: depth + 1, as: child)
    }
    addFiller(to: &records, vxid, side)
    records.append(record(vxid, side, "End"))
    if chance(10) { addFiller(to: &records, vxid, side) }
    streams[place] = spoiled(records)
  }

  private mutating func children(of type: String) -> [(String, String)] {
    switch type {
    case "sess": (0..<pick([0, 1, 1, 2])).map { _ in ("req", "rxreq") }
    case "req":
      (0..<pick([0, 1, 1, 2, 3])).map { _ in
        pick([("bereq", "fetch"), ("bereq", "pass"), ("req", "esi"), ("req", "restart")])
      }
    default: chance(20) ? [("bereq", "retry")] : []
    }
  }

  private mutating func addFiller(
    to records: inout [SampleRecord], _ vxid: UInt64, _ side: SampleRecord.Side
  ) {
    for _ in 0..<pick([0, 0, 1, 2]) {
      records.append(record(vxid, side, pick(["ReqURL", "VCL_call", "Debug"]), pick(["", "/a", "/bcd"])))
    }
  }

  /// Mostly a new number; sometimes one that was used before, as after a restart of the server.
  private mutating func newVXID() -> UInt64 {
    if chance(faultPercentage) { return pick(numbers) }
    let vxid = numbers[numbers.count - 1] + UInt64.random(in: 1...strideMax, using: &random)
    numbers.append(vxid)
    return vxid
  }

  /// Any number: of a transaction, of none, or 0.
  private mutating func anyVXID() -> UInt64 {
    chance(10) ? pick([0, numbers[numbers.count - 1] + 1]) : pick(numbers)
  }

  // MARK: Faults

  private mutating func spoiled(_ records: [SampleRecord]) -> [SampleRecord] {
    var result: [SampleRecord] = []
    for record in records {
      guard chance(faultPercentage) else {
        result.append(record)
        continue
      }
      switch Int.random(in: 0..<7, using: &random) {
      case 0: break
      case 1: result += [record, record]
      case 2:
        var moved = record
        moved.vxid = chance(30) ? 0 : anyVXID()
        result.append(moved)
      case 3: result.insert(record, at: Int.random(in: 0...result.count, using: &random))
      case 4: result.append(tie(record.vxid, record.side))
      case 5: result.append(oddTie(record.vxid, record.side))
      default: result += [record, tie(record.vxid, record.side)]
      }
    }
    return result
  }

  /// A `Begin` or `Link` that ties a transaction to any other.
  private mutating func tie(_ vxid: UInt64, _ side: SampleRecord.Side) -> SampleRecord {
    let other = anyVXID()
    let type = pick(["req", "bereq", "sess", "foo", "unknown"])
    let reason = pick(["rxreq", "esi", "restart", "fetch", "synth"])
    let level = chance(30) ? " \(Int.random(in: 0...2, using: &random))" : ""
    let anySide = chance(80) ? side : pick([.client, .backend, .none])
    return record(
      vxid, anySide, pick(["Begin", "Link", "Link"]), "\(type) \(chance(15) ? vxid : other) \(reason)\(level)"
    )
  }

  /// A `Begin` or `Link` with an unusual or invalid payload.
  private mutating func oddTie(_ vxid: UInt64, _ side: SampleRecord.Side) -> SampleRecord {
    let other = anyVXID()
    let text = pick([
      "", " ", "req", "req \(other)", "req x esi", "req \(other)esi", "  bereq\t\(other)  fetch ",
      "bereq \(other) fetch x", "req \(1 << 32 + other) esi", "req \(other) esi\(other) 2",
      "abcdefghijklmno \(other) esi", "abcdefghijklmnop \(other) esi", "Req \(other) esi",
      "req \(other) restartrestartrestart", "req 1 " + String(repeating: "y", count: 60),
    ])
    var record = record(vxid, side, pick(["Begin", "Link"]), text)
    if chance(20) { record.payload.removeLast() }
    return record
  }

  // MARK: Pieces

  private mutating func steps() -> [GroupingScenario.Step] {
    var steps: [GroupingScenario.Step] = []
    // Pieces from a file, from shared memory, or from both, which no source has.
    let batchPercentage = pick([0, 100, 100, 50])
    let wholePercentage = pick([0, 30, 90])
    let disorderPercentage = pick([0, 20, 100])
    let isReversed = chance(30)
    var rest = streams.filter { !$0.isEmpty }
    if isReversed { rest.reverse() }
    var current = 0
    while !rest.isEmpty {
      if chance(disorderPercentage) { current = Int.random(in: rest.indices, using: &random) }
      current = min(current, rest.count - 1)
      let count = chance(wholePercentage) ? rest[current].count : pick([1, 1, 2, 4])
      let piece = Array(rest[current].prefix(count))
      rest[current].removeFirst(piece.count)
      if rest[current].isEmpty { rest.remove(at: current) }
      if chance(batchPercentage) {
        steps.append(.batch(piece, isTorn: chance(3)))
      } else {
        steps += runs(piece).map { .run($0) }
      }
      addEvent(to: &steps)
    }
    return steps
  }

  private mutating func addEvent(to steps: inout [GroupingScenario.Step]) {
    if chance(15) { steps.append(.wait(nanoseconds: pick([1, 2, 7, 30]))) }
    if chance(2) { steps.append(.expire) }
    if chance(1) { steps.append(.flush) }
    if chance(5) { steps.append(.batch([record(0, .none, "CLI", "Rd ping")], isTorn: false)) }
  }

  /// Cuts a piece as the reader of a file does: where the number changes, and behind an `End`.
  private mutating func runs(_ records: [SampleRecord]) -> [[SampleRecord]] {
    var runs: [[SampleRecord]] = []
    for record in records {
      if let last = runs.last?.last, last.vxid == record.vxid, last.tag != tags["End"] {
        runs[runs.count - 1].append(record)
      } else {
        runs.append([record])
      }
    }
    return runs
  }

  // MARK: Helpers

  private func record(
    _ vxid: UInt64, _ side: SampleRecord.Side, _ tag: String, _ text: String = ""
  ) -> SampleRecord {
    SampleRecord(vxid, side, tag, text, tags: tags)
  }

  private mutating func chance(_ percentage: Int) -> Bool {
    Int.random(in: 0..<100, using: &random) < percentage
  }

  private mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int.random(in: elements.indices, using: &random)]
  }
}
