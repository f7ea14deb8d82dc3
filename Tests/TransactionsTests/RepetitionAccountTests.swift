import TestSupport
import Testing
import Transactions
import VarnishLog

/// The counts and notes while a part of a log is read again, also if some of the part is gone.
struct RepetitionAccountTests {
  @Test func `pieces of what was finished are no orphans, in front of the place or behind it`() {
    var reader = Reader()
    reader.add("2 c Begin req 1 rxreq")
    reader.add("3 c ReqURL /a")
    let (unfinished, through) = (reader.grouper.unfinished, reader.end)
    #expect(reader.grouper.statistics.orphans == 1)

    var again = Reader()
    again.grouper.beginRepetition(of: unfinished, at: through, [])
    again.add("2 c Begin req 1 rxreq")
    again.add("3 c ReqURL /a")
    again.add("3 c ReqURL /b")
    #expect(again.grouper.statistics.orphans == 0)
    again.add("4 c ReqURL /c")
    #expect(again.grouper.statistics.orphans == 1)
    again.add("2 c End")
    #expect(again.groups == [[2]])
  }

  @Test func `what is repeated isn't noted or counted again`() {
    var reader = Reader()
    reader.add("2 c Begin req 1 rxreq")
    let (unfinished, through) = (reader.grouper.unfinished, reader.end)
    reader.grouper.flush()
    reader.take()
    #expect(reader.grouper.hasForced == true)
    let forced = reader.grouper.takeForced()
    #expect(forced == [ForcedTransaction(vxid: 2, place: through, reason: .flush)])
    #expect(reader.grouper.hasForced == false)

    var again = Reader()
    again.grouper.beginRepetition(of: unfinished, at: through, forced)
    again.add("2 c Begin req 1 rxreq")
    #expect(again.groups == [[2]])
    #expect(again.grouper.completionPlace == through)
    #expect(again.grouper.hasForced == false)
    #expect(again.grouper.statistics.flushed == 0)
  }

  @Test func `the limits hold again once all is read that had been read`() {
    var again = Reader()
    again.grouper.beginRepetition(of: [UnfinishedTransaction(vxid: 2, firstPlace: 0)], at: 8, [])
    again.add("2 c Begin req 1 rxreq")
    again.grouper.nowNanoseconds = 500_000_000_000
    again.add("0 - CLI Rd ping")
    #expect(again.groups.isEmpty)
    again.grouper.endRepetition()
    again.add("0 - CLI Rd ping")
    #expect(again.groups.isEmpty, "its time begins now")
    again.grouper.nowNanoseconds += 121_000_000_000
    again.add("0 - CLI Rd ping")
    #expect(again.groups == [[2]])
    #expect(
      again.grouper.takeForced() == [ForcedTransaction(vxid: 2, place: again.end, reason: .timeout)])
  }

  @Test func `an end by force in a part that is gone meets nothing that comes after it`() {
    var again = Reader()
    again.grouper.beginRepetition(
      of: [UnfinishedTransaction(vxid: 2, firstPlace: 0)], at: 1000,
      [ForcedTransaction(vxid: 7, place: 2000, reason: .timeout)])
    again.add("2 c Begin req 1 rxreq")
    let reached = again.end
    again.grouper.flush()
    again.take()
    #expect(
      again.grouper.takeForced() == [ForcedTransaction(vxid: 2, place: reached, reason: .flush)])
    again.end = 5000
    again.add("6 c Begin req 1 rxreq\n6 c Link bereq 7 fetch")
    again.add("6 c End")
    #expect(again.groups == [[2]])
    again.add("7 b Begin bereq 6 fetch\n7 b End")
    #expect(again.groups == [[2], [6, 7]])
  }

  @Test func `a relative that was refused is refused again, also if its number came back`() {
    let pieces = [
      "3 b Begin bereq 9 fetch\n3 b End",
      "2 c Begin req 1 rxreq\n2 c Link bereq 3 fetch",
      "9 c Begin req 1 rxreq\n9 c End",
    ]
    var reader = Reader()
    for piece in pieces { reader.add(piece) }
    #expect(reader.groups == [[9, 3]])
    reader.add("4 c Begin req 1 rxreq\n4 c Link bereq 3 fetch")
    let (unfinished, through) = (reader.grouper.unfinished, reader.end)

    var again = Reader()
    again.grouper.beginRepetition(of: unfinished, at: through, [])
    for piece in pieces { again.add(piece) }
    again.add("4 c Begin req 1 rxreq\n4 c Link bereq 3 fetch")
    for piece in ["2 c End", "4 c End", "3 b Begin bereq 4 fetch\n3 b End"] {
      again.add(piece)
    }
    #expect(again.groups == [[2], [4, 3]])
  }
}

/// A grouper by request, and the groups made from consecutive pieces.
private struct Reader: ~Copyable {
  var grouper: Grouper<NarrowRecords>
  /// The place at which the next piece begins.
  var end: UInt64 = 0
  private(set) var groups: [[UInt64]] = []

  init() {
    grouper = Grouper(
      options: GroupingOptions(
        grouping: .request, candidateRule: .everything, wantsClient: true, wantsBackend: true,
        wantsESI: true),
      tags: TagTable(.v41))
    grouper.notesForced = true
  }

  mutating func add(_ lines: String) {
    SampleRecord.parse(lines).flatMap { $0.words(.twoWord) }.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      let run = RecordRun<NarrowRecords>(start: start, byteCount: bytes.count, place: end)
      end = run.endPlace
      if grouper.add(run) { take() }
    }
  }

  mutating func take() {
    while let group = grouper.next() { groups.append((0..<group.count).map { group[$0].vxid }) }
  }
}
