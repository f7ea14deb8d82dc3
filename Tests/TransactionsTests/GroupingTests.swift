import TestSupport
import Testing
import Transactions

struct GroupingTests {
  @Test(arguments: GroupingCase.all) func `record by record`(_ sample: GroupingCase) {
    var grouper = SampleGrouper(sample.grouping, limit: sample.limit)
    grouper.add(each: sample.lines)
    Self.check(grouper.sketch, sample)
  }

  /// Records that the reader of a file finds together are handed over together; this must make no difference.
  @Test(arguments: GroupingCase.all) func `run by run`(_ sample: GroupingCase) {
    var grouper = SampleGrouper(sample.grouping, limit: sample.limit)
    grouper.add(runs: SampleRecord.parse(sample.lines))
    Self.check(grouper.sketch, sample)
  }

  /// A server writes most transactions in one piece; apart from limits, this makes no difference either.
  @Test(arguments: GroupingCase.all.filter { $0.limit > 1 })
  func `batch by batch`(_ sample: GroupingCase) {
    var grouper = SampleGrouper(sample.grouping, limit: sample.limit)
    grouper.add(batches: SampleRecord.parse(sample.lines))
    Self.check(grouper.sketch, sample)
  }

  private static func check(_ sketch: GroupSketch, _ sample: GroupingCase) {
    #expect(sketch.groups == sample.groups)
    guard sketch.groups == sample.groups else { return }
    for (index, notes) in sample.notes.enumerated() {
      #expect(sketch.notes(index) == notes, "group \(index)")
    }
    // No record is lost or changes its place.
    let wanted = Set(
      sample.groups.joined(separator: " ").split(separator: " ").map { $0.drop { $0 != ":" }.dropFirst() })
    for vxid in wanted where sample.limit > 1 && !sample.name.contains("again") {
      let shown = sketch.records.joined().filter { $0.hasPrefix("\(vxid) ") && !$0.contains(" VSL ") }
      let given = sample.lines.split(separator: "\n").filter { $0.hasPrefix("\(vxid) ") }.map { line in
        let fields = line.split(separator: " ", maxSplits: 2)
        return "\(fields[0]) \(fields[2])"
      }
      #expect(shown == given)
    }
  }

  @Test func `a foreign record in a batch is kept and noted`() {
    var grouper = SampleGrouper(.vxid)
    grouper.add(batch: "2 c Begin req 1 rxreq\n4 c ReqURL /x\n2 c End")
    #expect(grouper.sketch.groups == ["1:2"])
    #expect(
      grouper.sketch.records == [
        [
          "2 Begin req 1 rxreq", "4 ReqURL /x", #"2 VSL vxid mismatch (4:ReqURL "/x")"#, "2 End",
        ]
      ])
  }

  @Test func `a foreign record in a batch says nothing of the transaction`() {
    var grouper = SampleGrouper(.request)
    grouper.add(
      batch: "2 c Begin req 1 rxreq\n4 c Begin req 1 rxreq\n4 c Link bereq 7 fetch\n4 c End\n2 c ReqURL /x")
    #expect(grouper.sketch.groups.isEmpty)
    grouper.add(batch: "2 c End")
    #expect(grouper.sketch.groups == ["1:2"])
    #expect(
      grouper.sketch.records == [
        [
          "2 Begin req 1 rxreq", "4 Begin req 1 rxreq", #"2 VSL vxid mismatch (4:Begin "req 1 rxreq")"#,
          "4 Link bereq 7 fetch", #"2 VSL vxid mismatch (4:Link "bereq 7 fetch")"#,
          "4 End", #"2 VSL vxid mismatch (4:End "")"#, "2 ReqURL /x", "2 End",
        ]
      ])
  }

  @Test func `what follows an End in a batch belongs to it, in a file to nobody`() {
    let lines = "2 c Begin req 1 rxreq\n2 c End\n2 c ReqURL /late"
    var batches = SampleGrouper(.vxid)
    batches.add(batch: lines)
    #expect(batches.sketch.records == [["2 Begin req 1 rxreq", "2 End", "2 ReqURL /late"]])
    var records = SampleGrouper(.vxid)
    records.add(each: lines)
    #expect(records.sketch.records == [["2 Begin req 1 rxreq", "2 End"]])
  }

  @Test func `a batch that does not begin with its Begin is lost`() {
    var grouper = SampleGrouper(.vxid)
    grouper.add(batch: "2 c ReqURL /x\n2 c Begin req 1 rxreq\n2 c End")
    #expect(grouper.sketch.groups.isEmpty)
    #expect(grouper.grouper.statistics.orphans == 1)
  }

  /// In a file each record was written by itself, even if a reader finds several together.
  @Test func `in a file, records before a Begin do not spoil what it begins`() {
    let lines = "2 c ReqURL /x\n2 c Begin req 1 rxreq\n2 c ReqURL /y\n2 c End"
    var records = SampleGrouper(.vxid)
    records.add(each: lines)
    var runs = SampleGrouper(.vxid)
    runs.add(runs: SampleRecord.parse(lines))
    #expect(records.sketch.records == [["2 Begin req 1 rxreq", "2 ReqURL /y", "2 End"]])
    #expect(runs.sketch == records.sketch)
    #expect(runs.grouper.statistics.orphans == 1)
  }

  @Test(arguments: [CandidateRule.bySide, .bySideAndLevel])
  func `later releases rule out what they can't read`(rule: CandidateRule) {
    for lines in ["2 c Begin req\n2 c End", "2 c Begin foo 1 rxreq\n2 c End"] {
      var grouper = SampleGrouper(.vxid, rule: rule)
      grouper.add(each: lines)
      #expect(grouper.sketch.groups.isEmpty)
      #expect(grouper.grouper.statistics.ruledOut == 1)
      #expect(grouper.grouper.statistics.orphans == 0)
    }
  }
}
