import TestSupport
import Testing
import Transactions
import VarnishLog

/// Ties between transactions that no server makes.
struct HostileTests {
  static let rings = [
    """
    2 c Begin req 3 esi
    3 c Begin req 2 esi
    2 c End
    3 c End
    """,
    """
    2 c Begin req 4 esi
    3 c Begin req 2 esi
    4 c Begin req 3 esi
    4 c End
    3 c End
    2 c End
    """,
    """
    2 c Begin req 1 rxreq
    2 c Link req 3 esi
    3 c Begin req 2 esi
    3 c Link req 4 esi
    4 c Begin req 3 esi
    4 c Link req 2 esi
    4 c End
    3 c End
    2 c End
    """,
    """
    2 c Begin req 3 esi
    2 c Link req 3 esi
    3 c Begin req 4 esi
    3 c Link req 2 esi
    2 c End
    3 c End
    4 c Begin req 1 rxreq
    4 c End
    """,
  ]

  /// Transactions that all wait for each other would never be handed over.
  @Test(arguments: rings, [Grouping.request, .session])
  func `a ring of parents comes to an end`(lines: String, grouping: Grouping) {
    var grouper = SampleGrouper(grouping)
    grouper.add(each: lines)
    let members = Set(lines.split(separator: "\n").map { $0.prefix(1) }).count
    if grouping == .session {
      // A parent that never comes may delay them, but not for ever.
      grouper.grouper.flush()
      grouper.drain()
    }
    let statistics = grouper.grouper.statistics
    let placeholders = statistics.flushed
    #expect(statistics.delivered + statistics.discarded == members + placeholders)
    #expect(grouper.grouper.discardOpen() == 0)
  }

  @Test func `a long chain of parents comes out in order`() {
    var grouper = SampleGrouper(.request)
    let count: UInt64 = 900
    grouper.add(each: "2 c Begin req 1 rxreq")
    for vxid in 3..<count {
      grouper.add(each: [SampleRecord(vxid, .client, "Begin", "req \(vxid - 1) restart")])
    }
    for vxid in 2..<count { grouper.add(each: [SampleRecord(vxid, .client, "End")]) }
    let expected = (2..<count).map { "1:\($0)" }.joined(separator: " ")
    #expect(grouper.sketch.groups == [expected])
  }

  @Test func `links to more children than there may be stay within the limit`() {
    var grouper = SampleGrouper(.request, limit: 20)
    grouper.add(each: "2 c Begin req 1 rxreq")
    for child in 3..<UInt64(5000) {
      grouper.add(each: [SampleRecord(2, .client, "Link", "bereq \(child) fetch")])
    }
    grouper.grouper.flush()
    grouper.drain()
    let statistics = grouper.grouper.statistics
    #expect(statistics.overflowed > 0)
    // The parent was the first to be ended by force, so the links after that weren't evaluated.
    #expect(grouper.sketch.groups.count == 1)
    #expect(grouper.sketch.records[0].count < 200)
  }

  @Test func `random records never break the order of things`() {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<300 {
      let records = (0..<Int.random(in: 1..<80, using: &random)).map { _ in Self.record(&random) }
      let limit = Int.random(in: 1...8, using: &random)
      for grouping in [Grouping.vxid, .request, .session] {
        var grouper = SampleGrouper(grouping, limit: limit)
        grouper.add(each: records)
        let open = grouper.grouper.statistics
        #expect(open.overflowed <= records.count, "\(random)")
        grouper.grouper.flush()
        grouper.drain()
        // Flushed once, nothing is left to flush.
        let flushed = grouper.grouper.statistics.flushed
        grouper.grouper.flush()
        #expect(grouper.grouper.statistics.flushed == flushed, "\(random)")
        #expect(grouper.grouper.discardOpen() == 0, "\(random)")
        Self.checkOrder(grouper.sketch, random)
      }
    }
  }

  /// Compares handing over a file's records singly with handing over the runs that a reader finds.
  @Test func `runs give what single records give`() {
    var random = SeededGenerator(seed: 6)
    for _ in 0..<300 {
      let records = (0..<Int.random(in: 1..<80, using: &random)).map { _ in Self.record(&random) }
      let limit = Bool.random(using: &random) ? 1000 : Int.random(in: 1...8, using: &random)
      for grouping in [Grouping.vxid, .request, .session] {
        var single = SampleGrouper(grouping, limit: limit)
        single.add(each: records)
        var runs = SampleGrouper(grouping, limit: limit)
        runs.add(runs: records)
        #expect(single.sketch == runs.sketch, "\(random), limit \(limit), \(grouping)")
      }
    }
  }

  private static func checkOrder(_ sketch: GroupSketch, _ random: SeededGenerator) {
    for group in sketch.groups {
      let levels = group.split(separator: " ").compactMap { Int($0.prefix { $0 != ":" }) }
      #expect(levels.first == 1, "\(random)")
      #expect((levels.max() ?? 0) <= levels.count, "\(random)")
    }
  }

  private static func record(_ random: inout SeededGenerator) -> SampleRecord {
    let vxid = UInt64.random(in: 0..<8, using: &random)
    let other = UInt64.random(in: 0..<8, using: &random)
    let type = ["req", "bereq", "sess", "foo"].randomElement(using: &random) ?? ""
    let reason = ["rxreq", "esi", "restart", "fetch"].randomElement(using: &random) ?? ""
    let side: SampleRecord.Side = type == "bereq" ? .backend : .client
    switch Int.random(in: 0..<10, using: &random) {
    case 0...3: return SampleRecord(vxid, side, "Begin", "\(type) \(other) \(reason)")
    case 4...5: return SampleRecord(vxid, side, "Link", "\(type) \(other) \(reason)")
    case 6...7: return SampleRecord(vxid, side, "End")
    case 8: return SampleRecord(vxid, side, "Begin", "\(type)")
    default: return SampleRecord(vxid, side, "ReqURL", "/\(other)")
    }
  }
}
