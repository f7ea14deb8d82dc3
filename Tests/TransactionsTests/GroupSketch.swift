import TestSupport
import Transactions
import VarnishLog

/// The groups made from some records, in a readable form for comparisons.
///
/// A group is a line of `LEVEL:VXID` for its members, followed by their records, one to a line: `VXID Tag
/// text`.
struct GroupSketch: Equatable, CustomStringConvertible {
  /// The members of each group, for example `1:2 2:3`.
  var groups: [String] = []
  /// The records of each group.
  var records: [[String]] = []
  /// How many members were ended by force.
  var forced = 0

  var description: String {
    zip(groups, records).map { "\($0)\n" + $1.map { "  \($0)" }.joined(separator: "\n") }
      .joined(separator: "\n")
  }

  /// The records of a group that the grouper itself made.
  func notes(_ group: Int) -> [String] {
    records[group].filter { $0.contains(" VSL ") || $0.hasSuffix(" End synth") || $0.hasSuffix(" synth") }
  }

  mutating func add<Layout>(_ group: TransactionGroup<Layout>, tags: SampleTags) {
    var members: [String] = []
    var lines: [String] = []
    for index in 0..<group.count {
      let transaction = group[index]
      members.append("\(transaction.level):\(transaction.vxid)")
      if transaction.isForced { forced += 1 }
      var cursor = transaction.makeCursor()
      while let record = cursor.next() {
        let name = tags.name(of: record.tag) ?? "\(record.tag)"
        let text = record.payload.droppingFinalNULs.text
        lines.append("\(record.vxid) \(name)" + (text.isEmpty ? "" : " \(text)"))
      }
    }
    groups.append(members.joined(separator: " "))
    records.append(lines)
  }
}

/// A grouper that is given sample records.
struct SampleGrouper: ~Copyable {
  var grouper: Grouper<NarrowRecords>
  private(set) var sketch = GroupSketch()

  init(
    _ grouping: Grouping, limit: Int = 1000, timeoutSeconds: Int64 = 120,
    rule: CandidateRule = .everything
  ) {
    var options = GroupingOptions(
      grouping: grouping, candidateRule: rule, wantsClient: true, wantsBackend: true,
      wantsESI: true)
    options.openTransactionsMax = limit
    options.timeoutNanoseconds = timeoutSeconds * 1_000_000_000
    grouper = Grouper(options: options, tags: TagTable(.v41))
  }

  /// Adds each record by itself, as a file contains them.
  mutating func add(each lines: String) { add(each: SampleRecord.parse(lines)) }

  /// Adds each record by itself.
  mutating func add(each records: [SampleRecord]) {
    for record in records { addRun([record], whole: false) }
  }

  /// Adds runs of records of one transaction, as the reader of a file finds them.
  mutating func add(runs records: [SampleRecord]) {
    for run in Self.runs(records) { addRun(run, whole: false) }
  }

  /// Adds records written in one piece.
  mutating func add(batch lines: String) { addRun(SampleRecord.parse(lines), whole: true) }

  /// Adds batches: records of one transaction that stand together.
  mutating func add(batches records: [SampleRecord]) {
    for run in Self.runs(records) { addRun(run, whole: true) }
  }

  /// Advances the clock.
  mutating func wait(seconds: Int64) {
    grouper.nowNanoseconds += seconds * 1_000_000_000
  }

  /// Takes the finished groups.
  mutating func drain() {
    while let group = grouper.next() { sketch.add(group, tags: .v7) }
  }

  private mutating func addRun(_ records: [SampleRecord], whole: Bool) {
    // The memory is invalid after the call, as with a source that moves on.
    records.flatMap { $0.words(.twoWord) }.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      let run = RecordRun<NarrowRecords>(start: start, byteCount: bytes.count)
      if whole { grouper.add(run) } else { grouper.addEach(run) }
      drain()
    }
  }

  private static func runs(_ records: [SampleRecord]) -> [[SampleRecord]] {
    var runs: [[SampleRecord]] = []
    for record in records {
      // A reader ends a run behind an `End`, even if the transaction has more records.
      if let last = runs.last?.last, last.vxid == record.vxid, last.tag != SampleTags.v7["End"] {
        runs[runs.count - 1].append(record)
      } else {
        runs.append([record])
      }
    }
    return runs
  }
}
