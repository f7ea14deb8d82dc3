import TestSupport
import Testing
import Transactions

/// Transactions that do not end by themselves.
struct LimitTests {
  @Test func `a transaction that takes too long is ended`() {
    var grouper = SampleGrouper(.vxid, timeoutSeconds: 10)
    grouper.add(each: "2 c Begin req 1 rxreq\n2 c ReqURL /a")
    grouper.wait(seconds: 10)
    grouper.add(each: "0 - CLI Rd ping")
    #expect(grouper.sketch.groups.isEmpty)
    grouper.wait(seconds: 1)
    grouper.add(each: "0 - CLI Rd ping")
    #expect(
      grouper.sketch.records == [
        ["2 Begin req 1 rxreq", "2 ReqURL /a", "2 VSL timeout", "2 End synth"]
      ])
    #expect(grouper.sketch.forced == 1)
    #expect(grouper.grouper.statistics.timedOut == 1)
  }

  @Test func `no patience at all ends it at once, and the rest is lost`() {
    var grouper = SampleGrouper(.vxid, timeoutSeconds: 0)
    grouper.add(each: "2 c Begin req 1 rxreq\n2 c ReqURL /a")
    #expect(grouper.sketch.records == [["2 Begin req 1 rxreq", "2 VSL timeout", "2 End synth"]])
  }

  @Test func `the clock alone ends what is late in a quiet log`() {
    var grouper = SampleGrouper(.vxid, timeoutSeconds: 10)
    grouper.add(each: "2 c Begin req 1 rxreq")
    grouper.wait(seconds: 11)
    grouper.grouper.expire()
    grouper.drain()
    #expect(grouper.sketch.groups == ["1:2"])
  }

  @Test func `a late fetch holds up its request until it is late itself`() {
    var grouper = SampleGrouper(.request, timeoutSeconds: 10)
    grouper.add(each: "2 c Begin req 1 rxreq")
    grouper.wait(seconds: 5)
    grouper.add(each: "2 c Link bereq 3 fetch\n3 b Begin bereq 2 fetch\n2 c End")
    grouper.wait(seconds: 6)
    grouper.add(each: "0 - CLI Rd ping")
    #expect(grouper.sketch.groups.isEmpty)
    grouper.wait(seconds: 5)
    grouper.add(each: "0 - CLI Rd ping")
    #expect(grouper.sketch.groups == ["1:2 2:3"])
    #expect(grouper.sketch.notes(0) == ["3 VSL timeout", "3 End synth"])
  }

  @Test func `an interruption of the log ends all that is open`() {
    var grouper = SampleGrouper(.vxid)
    grouper.add(each: "2 c Begin req 1 rxreq\n4 c Begin req 1 rxreq\n2 c ReqURL /a")
    grouper.grouper.flush()
    grouper.drain()
    #expect(
      grouper.sketch.records == [
        ["2 Begin req 1 rxreq", "2 ReqURL /a", "2 VSL flush", "2 End synth"],
        ["4 Begin req 1 rxreq", "4 VSL flush", "4 End synth"],
      ])
    #expect(grouper.grouper.statistics.flushed == 2)
    // Later records of a transaction that was ended by force have no effect.
    grouper.add(each: "2 c ReqURL /late\n2 c End")
    #expect(grouper.sketch.groups.count == 2)
  }

  @Test func `a torn piece is taken out again`() {
    var grouper = SampleGrouper(.vxid)
    grouper.add(each: "2 c Begin req 1 rxreq")
    grouper.add(batch: "2 c ReqURL /torn")
    grouper.grouper.discardTornPiece()
    grouper.add(batch: "2 c ReqURL /whole\n2 c End")
    #expect(grouper.sketch.records == [["2 Begin req 1 rxreq", "2 ReqURL /whole", "2 End"]])
  }

  /// A source of live records discards a whole transaction at once if no output wants it or it can be handed
  /// over.
  @Test func `a whole piece that is torn does not spoil the one before it`() {
    var grouper = SampleGrouper(.vxid)
    grouper.add(batch: "2 c Begin req 1 rxreq\n2 c ReqURL /a")
    grouper.add(batch: "4 c Begin req 1 rxreq\n4 c End")
    grouper.grouper.discardTornPiece()
    grouper.add(batch: "2 c End")
    #expect(grouper.sketch.records.last == ["2 Begin req 1 rxreq", "2 ReqURL /a", "2 End"])
  }

  @Test func `a finished group takes room until it is handed on`() {
    var grouper = SampleGrouper(.vxid, limit: 1)
    grouper.add(batch: "2 c Begin req 1 rxreq")
    grouper.add(batch: "4 c Begin req 1 rxreq\n4 c End")
    #expect(grouper.sketch.groups == ["1:4", "1:2"])
    #expect(grouper.sketch.notes(1) == ["2 VSL store overflow", "2 End synth"])
  }

  @Test func `the first record of a file's run lets time do its work`() {
    var grouper = SampleGrouper(.vxid, timeoutSeconds: 10)
    grouper.add(each: "2 c Begin req 1 rxreq")
    grouper.wait(seconds: 11)
    grouper.add(runs: SampleRecord.parse("4 c Begin req 1 rxreq\n4 c End"))
    #expect(grouper.sketch.groups == ["1:2", "1:4"])
  }

  @Test(arguments: [Grouping.vxid, .request, .session])
  func `100,000 transactions without an end stay within the limit`(grouping: Grouping) {
    var grouper = SampleGrouper(grouping, limit: 50)
    var record = SampleRecord(2, .client, "Begin", "req 0 rxreq")
    for vxid in 2..<UInt64(100_002) {
      record.vxid = vxid
      grouper.add(each: [record])
    }
    let statistics = grouper.grouper.statistics
    #expect(statistics.overflowed == 100_000 - 50)
    #expect(statistics.delivered + statistics.discarded == 100_000 - 50)
    #expect(grouper.grouper.discardOpen() == 50)
  }

  @Test func `a transaction of many megabytes is reported`() {
    var grouper = SampleGrouper(.vxid)
    grouper.add(each: "2 c Begin req 1 rxreq")
    let record = SampleRecord(2, .client, "VCL_Log", String(repeating: "x", count: 60_000))
    var count = 0
    while grouper.grouper.oversized == nil, count < 1000 {
      grouper.add(each: [record])
      count += 1
    }
    #expect(grouper.grouper.oversized == 2)
    #expect(count * 60_000 > GroupingOptions.storedBytesMax - 200_000)
    #expect(count * 60_000 < GroupingOptions.storedBytesMax + 200_000)
  }
}
