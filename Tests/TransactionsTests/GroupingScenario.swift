import VarnishLog
import TestSupport
import Transactions

/// The input of a grouper, in order.
struct GroupingScenario: CustomStringConvertible {
  enum Step {
    /// Records that were written in one piece, and that may turn out to have been overwritten meanwhile.
    case batch([SampleRecord], isTorn: Bool)
    /// Records of which each was written by itself, and which a reader found together.
    case run([SampleRecord])
    case wait(nanoseconds: Int64)
    case expire
    case flush
  }

  var layout = SampleLayout.twoWord
  var options: GroupingOptions
  var kept = KeptRecords.all
  var steps: [Step] = []

  /// The options for the grouper.
  var groupingOptions: GroupingOptions {
    var options = options
    options.kept = kept.wish
    return options
  }

  var tags: SampleTags { layout == .twoWord ? .v7 : .v8 }

  var description: String {
    var lines = [
      "\(layout), by \(options.grouping), rule \(options.candidateRule), wants"
        + "\(options.wantsClient ? " client" : "")\(options.wantsBackend ? " backend" : "")"
        + "\(options.wantsESI ? " ESI" : ""), at most \(options.openTransactionsMax), "
        + "timeout \(options.timeoutNanoseconds) ns"
        + (kept == .all ? "" : ", not all records kept")
    ]
    for step in steps {
      switch step {
      case .batch(let records, let isTorn):
        lines += [isTorn ? "torn batch" : "batch"] + records.map(text)
      case .run(let records): lines += ["run"] + records.map(text)
      case .wait(let nanoseconds): lines.append("wait \(nanoseconds) ns")
      case .expire: lines.append("expire")
      case .flush: lines.append("flush")
      }
    }
    return lines.joined(separator: "\n")
  }

  private func text(_ record: SampleRecord) -> String {
    let text = String(decoding: record.payload.filter { $0 != 0 }, as: UTF8.self)
    return "  \(record.vxid) \(record.side.rawValue) \(tags.name(of: record.tag) ?? "?") \(text)"
      + (record.payload.last == 0 ? "" : " (without NUL)")
  }

  // MARK: Shrinking

  /// The smallest scenario that leaving out parts gives for which `isWrong` still holds.
  func shrunk(while isWrong: (GroupingScenario) -> Bool) -> GroupingScenario {
    var best = self
    var count = Int.max
    while best.size < count {
      count = best.size
      best.leaveOut(\.steps.count, isWrong) { $0.steps.removeSubrange($1) }
      for index in best.steps.indices {
        best.leaveOut(\.steps[index].records.count, isWrong) {
          $0.steps[index].records.removeSubrange($1)
        }
      }
    }
    for simplify in Self.simplifications {
      var simpler = best
      simplify(&simpler)
      if isWrong(simpler) { best = simpler }
    }
    return best
  }

  /// Sources never hand over an empty run.
  private var hasEmptyPiece: Bool {
    steps.contains { step in
      switch step {
      case .batch(let records, _), .run(let records): records.isEmpty
      case .wait, .expire, .flush: false
      }
    }
  }

  private var size: Int { steps.reduce(steps.count) { $0 + $1.records.count } }

  private static let simplifications: [@Sendable (inout GroupingScenario) -> Void] = [
    { $0.kept = .all },
    { $0.options.openTransactionsMax = 1000 },
    { $0.options.timeoutNanoseconds = 120_000_000_000 },
    { $0.options.candidateRule = .everything },
    { ($0.options.wantsClient, $0.options.wantsBackend, $0.options.wantsESI) = (true, true, true) },
    { $0.layout = .twoWord },
  ]

  /// Leaves out ever smaller parts of a list of `count` elements.
  private mutating func leaveOut(
    _ count: (GroupingScenario) -> Int, _ isWrong: (GroupingScenario) -> Bool,
    remove: (inout GroupingScenario, Range<Int>) -> Void
  ) {
    var length = count(self)
    while length > 0 {
      var from = 0
      while from < count(self) {
        var smaller = self
        remove(&smaller, from..<min(from + length, count(self)))
        if !smaller.hasEmptyPiece, isWrong(smaller) { self = smaller } else { from += length }
      }
      length /= 2
    }
  }
}

extension GroupingScenario.Step {
  /// The records of a step that has some.
  var records: [SampleRecord] {
    get {
      switch self {
      case .batch(let records, _), .run(let records): records
      case .wait, .expire, .flush: []
      }
    }
    set {
      switch self {
      case .batch(_, let isTorn): self = .batch(newValue, isTorn: isTorn)
      case .run: self = .run(newValue)
      case .wait, .expire, .flush: break
      }
    }
  }
}
