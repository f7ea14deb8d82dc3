import TestSupport
import Transactions
import VarnishLog

/// A model of the grouper that follows `grouping.md` step by step, without regard for speed; the grouper is
/// compared with it.
///
/// It adds two rules that the description leaves open: a tie that would close a ring is refused with `link
/// mismatch`, and a transaction that is known accepts any `Begin`.
struct GroupingModel {
  /// A transaction in the table.
  private struct Entry {
    var type = "unknown"
    var reason = ""
    var begin: SampleRecord?
    var parentNumber: UInt64 = 0
    var parent: UInt64?
    var children: [UInt64] = []
    var isComplete = false
    var isForced = false
    var created: Int64
    var records: [SampleRecord] = []

    /// The marker of records that are made up for the transaction.
    var side: SampleRecord.Side { type == "req" ? .client : type == "bereq" ? .backend : .none }
  }

  let options: GroupingOptions
  let kept: KeptRecords
  let layout: SampleLayout
  var now: Int64 = 0
  private(set) var statistics = GroupingStatistics()
  /// The groups that were handed over.
  private(set) var groups: [[GroupMember]] = []

  private var table: [UInt64: Entry] = [:]
  private var incomplete: [UInt64] = []
  private var ready: [UInt64] = []
  /// Numbers of transactions that were ruled out and whose `End` hasn't been seen.
  private var ruledOut: Set<UInt64> = []
  private var ended: [UInt64] = []
  private let tags: SampleTags
  private let begin: UInt8, link: UInt8, end: UInt8
  /// The transaction of the last piece, and how many records it had before.
  private var lastPiece: (vxid: UInt64, recordsBefore: Int)?

  init(_ scenario: GroupingScenario) {
    options = scenario.options
    kept = scenario.kept
    layout = scenario.layout
    tags = layout == .twoWord ? .v7 : .v8
    (begin, link, end) = (tags["Begin"], tags["Link"], tags["End"])
  }

  /// How many transactions have begun and are not in a finished group.
  var begunCount: Int { table.values.count { $0.begin != nil } }

  // MARK: Units

  mutating func add(each records: [SampleRecord]) {
    let before = statistics.orphans
    for record in records { add(unit: [record]) }
    // A piece counts once, however many of its records have no transaction.
    statistics.orphans = min(statistics.orphans, before + 1)
  }

  mutating func add(unit: [SampleRecord]) {
    lastPiece = nil
    if let first = unit.first, first.vxid != 0 {
      if table[first.vxid] != nil || begins(unit) { append(unit, to: first.vxid) }
    }
    expire()
    while table.count > options.openTransactionsMax, let oldest = incomplete.first {
      statistics.overflowed += 1
      force(oldest, "store overflow")
      deliver()
    }
    deliver()
  }

  mutating func expire() {
    while let oldest = incomplete.first, let entry = table[oldest],
      now - entry.created > options.timeoutNanoseconds || options.timeoutNanoseconds == 0
    {
      statistics.timedOut += 1
      force(oldest, "timeout")
    }
  }

  mutating func flush() {
    while let oldest = incomplete.first {
      statistics.flushed += 1
      force(oldest, "flush")
    }
  }

  /// Removes the records of the last piece; their effects on ties and ends stay.
  mutating func tear() {
    guard let lastPiece, let entry = table[lastPiece.vxid] else { return }
    table[lastPiece.vxid]?.records = Array(entry.records.prefix(lastPiece.recordsBefore))
  }

  /// Whether a unit whose number isn't in the table begins a transaction; if so, the transaction is added.
  private mutating func begins(_ unit: [SampleRecord]) -> Bool {
    let vxid = unit[0].vxid
    let ends = unit.contains { $0.tag == end && $0.vxid == vxid }
    if unit[0].tag == begin {
      if isCandidate(unit[0]) {
        open(vxid)
        return true
      }
      statistics.ruledOut += 1
      ruledOut.insert(vxid)
    } else if !ruledOut.contains(vxid) {
      // Some servers log a record or two behind the End.
      if !ended.suffix(64).contains(vxid) { statistics.orphans += 1 }
      return false
    }
    if ends {
      ruledOut.remove(vxid)
      ended.append(vxid)
    }
    return false
  }

  private func isCandidate(_ begin: SampleRecord) -> Bool {
    if options.candidateRule == .everything || options.grouping == .session { return true }
    let fields = BracketModel(begin, layout)
    guard let fields, ["sess", "req", "bereq"].contains(fields.type) else { return false }
    if options.grouping == .request { return fields.type != "sess" }
    if options.wantsClient, !options.wantsBackend, begin.side != .client { return false }
    if options.wantsBackend, !options.wantsClient, begin.side != .backend { return false }
    if options.candidateRule == .bySideAndLevel { return fields.level == 0 || options.wantsESI }
    return fields.type != "sess" && (fields.reason != "esi" || options.wantsESI)
  }

  private mutating func append(_ unit: [SampleRecord], to vxid: UInt64) {
    lastPiece = (vxid, table[vxid]?.records.count ?? 0)
    for record in unit {
      table[vxid]?.records.append(record)
      if table[vxid]?.isComplete == false { interpret(record, of: vxid) }
    }
  }

  private mutating func interpret(_ record: SampleRecord, of vxid: UInt64) {
    if record.vxid != vxid {
      note("vxid mismatch", record, in: vxid)
    } else if record.tag == begin {
      if table[vxid]?.begin != nil {
        note("duplicate begin", record, in: vxid)
      } else {
        table[vxid]?.begin = record
        processBegin(record, of: vxid)
      }
    } else if record.tag == link {
      processLink(record, of: vxid)
    } else if record.tag == end {
      if table[vxid]?.type == "unknown" { note("vtx of unknown type marked complete", in: vxid) }
      complete(vxid)
    }
  }

  // MARK: Ties

  private mutating func processBegin(_ record: SampleRecord, of vxid: UInt64) {
    guard let begin = read(record, in: vxid) else { return }
    let expected = table[vxid]?.type ?? ""
    if expected != "unknown", expected != begin.type { note("type mismatch", record, in: vxid) }
    table[vxid]?.type = begin.type
    table[vxid]?.reason = begin.reason
    table[vxid]?.parentNumber = begin.vxid
    if begin.vxid == 0 { return }
    if begin.vxid == vxid { return note("link to self", record, in: vxid) }
    if options.grouping == .vxid { return }
    if options.grouping == .request, begin.type == "req", begin.reason == "rxreq" { return }
    if let parent = table[vxid]?.parent {
      if parent != begin.vxid { note("link mismatch", record, in: vxid) }
      return
    }
    if table[begin.vxid] == nil { open(begin.vxid) }
    if table[begin.vxid]?.isComplete == true { return note("link too late", record, in: vxid) }
    if lineage(of: begin.vxid).contains(vxid) { return note("link mismatch", record, in: vxid) }
    attach(vxid, to: begin.vxid)
  }

  private mutating func processLink(_ record: SampleRecord, of vxid: UInt64) {
    guard let link = read(record, in: vxid), options.grouping != .vxid else { return }
    if options.grouping == .request, table[vxid]?.type == "sess" { return }
    if link.vxid == 0 { return note("illegal link vxid", record, in: vxid) }
    if link.vxid == vxid { return note("link to self", record, in: vxid) }
    if let child = table[link.vxid] {
      if child.parent == vxid { return }
      if child.parent != nil { return note("duplicate link", record, in: vxid) }
      if child.isComplete { return note("link too late", record, in: vxid) }
      if lineage(of: vxid).contains(link.vxid) { return note("link mismatch", record, in: vxid) }
      if child.type != "unknown", child.type != link.type { note("type mismatch", record, in: vxid) }
    } else {
      open(link.vxid)
    }
    table[link.vxid]?.type = link.type
    table[link.vxid]?.reason = link.reason
    attach(link.vxid, to: vxid)
  }

  private mutating func read(_ record: SampleRecord, in vxid: UInt64) -> BracketModel? {
    guard var fields = BracketModel(record, layout) else {
      note("parse error", record, in: vxid)
      return nil
    }
    if !["sess", "req", "bereq"].contains(fields.type) {
      note("unknown vxid type", record, in: vxid)
      fields.type = "unknown"
    }
    return fields
  }

  private mutating func open(_ vxid: UInt64) {
    table[vxid] = Entry(created: now)
    incomplete.append(vxid)
  }

  private mutating func attach(_ child: UInt64, to parent: UInt64) {
    table[child]?.parent = parent
    table[parent]?.children.append(child)
  }

  /// A transaction, its parent, the parent's parent and so on.
  private func lineage(of vxid: UInt64) -> [UInt64] {
    var line = [vxid]
    while let parent = table[line[line.count - 1]]?.parent { line.append(parent) }
    return line
  }

  // MARK: Ends

  private mutating func force(_ vxid: UInt64, _ reason: String) {
    guard let entry = table[vxid] else { return }
    let begin = SampleRecord(vxid, entry.side, "Begin", "\(entry.type) 0 synth", tags: tags)
    table[vxid]?.isForced = true
    if entry.begin == nil { table[vxid]?.records.append(begin) }
    note(reason, in: vxid)
    table[vxid]?.records.append(SampleRecord(vxid, entry.side, "End", "synth", tags: tags))
    // Only now are the made-up records read.
    if entry.begin == nil {
      table[vxid]?.reason = "synth"
      if entry.type == "unknown" { note("unknown vxid type", begin, in: vxid) }
    }
    if entry.type == "unknown" { note("vtx of unknown type marked complete", in: vxid) }
    complete(vxid)
  }

  private mutating func complete(_ vxid: UInt64) {
    table[vxid]?.isComplete = true
    incomplete.removeAll { $0 == vxid }
    ended.append(vxid)
    let line = lineage(of: vxid)
    if let root = line.last, isReady(root) { ready.append(root) }
  }

  private func isReady(_ vxid: UInt64) -> Bool {
    table[vxid].map { $0.isComplete && $0.children.allSatisfy(isReady) } ?? false
  }

  mutating func deliver() {
    for root in ready {
      let isWanted =
        switch options.grouping {
        case .vxid: true
        case .request: table[root]?.type == "req"
        case .session: table[root]?.type == "sess"
        }
      var list = [(vxid: root, level: 1)]
      var members: [GroupMember] = []
      while members.count < list.count, let entry = table[list[members.count].vxid] {
        let (vxid, level) = list[members.count]
        members.append(member(entry, vxid, level))
        for child in entry.children {
          list.append((child, table[child]?.reason == "restart" ? level : level + 1))
        }
      }
      for member in list { table[member.vxid] = nil }
      if isWanted {
        groups.append(members)
        statistics.delivered += members.count
      } else {
        statistics.discarded += members.count
        statistics.discardedGroups += 1
      }
    }
    ready = []
  }

  private func member(_ entry: Entry, _ vxid: UInt64, _ level: Int) -> GroupMember {
    // The side of the `Begin`, even if that record is made up.
    let side = entry.begin?.side ?? (entry.isForced ? entry.side : .none)
    return GroupMember(
      vxid: vxid, parentVXID: entry.parentNumber, level: level,
      type: types[entry.type] ?? .unknown, reason: reasons[entry.reason] ?? .other,
      side: side == .client ? .client : side == .backend ? .backend : .none, isForced: entry.isForced,
      records: entry.records.filter { kept.contains($0.tag, $0.payload) }
        .map { LogFileBuilder.bytes(of: $0, layout) })
  }

  private let types: [String: TransactionType] = [
    "sess": .session, "req": .request, "bereq": .backendRequest,
  ]
  private let reasons: [String: TransactionReason] = [
    "rxreq": .received, "esi": .esi, "restart": .restart,
  ]

  // MARK: Notes

  private mutating func note(_ reason: String, _ record: SampleRecord, in vxid: UInt64) {
    let name = tags.name(of: record.tag) ?? "unknown"
    let payload = String(decoding: BracketModel.text(record), as: UTF8.self)
    note("\(reason) (\(record.vxid):\(name) \"\(payload)\")", in: vxid)
  }

  private mutating func note(_ text: String, in vxid: UInt64) {
    guard let side = table[vxid]?.side else { return }
    let bytes = Array(text.utf8.prefix(63))
    table[vxid]?.records.append(SampleRecord(vxid, side, tag: tags["VSL"], bytes: bytes))
  }
}
