import LogReading
import TestSupport
import Testing
import Transactions
import VarnishLog

/// The places in the log at which a transaction's first record begins and its last one ends.
struct PlaceTests {
  /// Transactions whose records are mixed with those of others.
  @Test(arguments: SampleLayout.allCases, [Grouping.vxid, .request, .session])
  func `a transaction knows where it begins and ends`(layout: SampleLayout, grouping: Grouping) throws {
    var random = SeededGenerator(seed: 41)
    let sample = MixedLog(layout, &random)
    let directory = try TemporaryDirectory()
    let path = directory.file("log.vsl")
    try sample.log.write(to: path)
    let file = try LogFile(path: path)
    let found =
      switch file.kind {
      case .narrow: try Self.group(FileRecords<NarrowRecords>(file, assuming: nil), grouping)
      case .wide: try Self.group(FileRecords<WideRecords>(file, assuming: nil), grouping)
      case .old: throw SupportError("a log with a marker was taken for one without")
      }
    // A session isn't a part of a request's group.
    let expected = sample.places.filter { grouping != .request || !sample.sessions.contains($0.key) }
    #expect(found == expected, "\(random)")
  }

  @Test func `what is torn out of a transaction isn't its end`() {
    var sample = PlacedGrouper(.request)
    sample.add("2 c Begin req 1 rxreq\n2 c Link bereq 3 fetch", at: 1000)
    let end = sample.end
    sample.add("2 c ReqURL /torn", at: 5000)
    sample.grouper.discardTornPiece()
    sample.grouper.flush()
    let groups = sample.takeGroups()
    // A transaction that is only named by a link has that record's place.
    #expect(groups == [[Places(vxid: 2, first: 1000, end: end), Places(vxid: 3, first: 1000, end: 1000)]])
  }

  @Test func `a group spans what its members do`() {
    var sample = PlacedGrouper(.request)
    sample.add("3 b Begin bereq 2 fetch", at: 100)
    sample.add("2 c Begin req 1 rxreq\n2 c Link bereq 3 fetch", at: 1000)
    sample.add("2 c End", at: 2000)
    #expect(sample.takeGroups().isEmpty)
    sample.add("3 b End", at: 3000)
    let end = sample.end
    let group = sample.grouper.next()
    #expect(group?.firstPlace == 100)
    #expect(group?.endPlace == end)
  }

  @Test func `the first open transaction is the one that began first`() {
    var sample = PlacedGrouper(.vxid)
    #expect(sample.grouper.firstUnfinishedPlace == nil)
    for (index, vxid) in [7, 5, 9].enumerated() {
      sample.add("\(vxid) c Begin req 1 rxreq", at: UInt64(100 + index * 100))
      #expect(sample.takeGroups().isEmpty)
    }
    for (vxid, first) in [(5, 100), (7, 300), (9, nil)] as [(Int, UInt64?)] {
      sample.add("\(vxid) c End", at: 1000)
      #expect(sample.takeGroups().map(\.count) == [1])
      #expect(sample.grouper.firstUnfinishedPlace == first)
    }
  }

  @Test func `a record by itself is where it is`() throws {
    SampleRecord.parse("0 - CLI Rd ping").flatMap { $0.words(.twoWord) }.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      let run = RecordRun<NarrowRecords>(start: start, byteCount: bytes.count, place: 4)
      var cursor = run.makeCursor()
      guard let record = cursor.next() else { return }
      TransactionGroup.withRecord(record, at: run.place(of: record)) { group in
        #expect(group.firstPlace == 4)
        #expect(group.endPlace == run.endPlace)
      }
    }
  }

  private static func group<Layout>(
    _ source: consuming FileRecords<Layout>, _ grouping: Grouping
  ) throws -> [UInt64: Places] {
    var source = source
    try source.begin()
    var options = GroupingOptions(
      grouping: grouping, candidateRule: .everything, wantsClient: true, wantsBackend: true, wantsESI: true)
    options.openTransactionsMax = 1000
    var grouper = Grouper<Layout>(options: options, tags: TagTable(source.numbering))
    var found: [UInt64: Places] = [:]
    while case .records(let run) = try source.next() {
      guard grouper.addEach(run) else { continue }
      while let group = grouper.next() {
        for index in 0..<group.count {
          let places = Places(group[index])
          #expect(found.updateValue(places, forKey: places.vxid) == nil)
        }
      }
      // The first unfinished transaction begins no later than this run.
      if let first = grouper.firstUnfinishedPlace { #expect(first <= run.place) }
    }
    return found
  }
}

extension Grouper {
  /// The place at which the first unfinished transaction begins.
  var firstUnfinishedPlace: UInt64? { unfinished.map(\.firstPlace).min() }
}

/// The places at which a transaction begins and ends.
private struct Places: Equatable {
  let vxid: UInt64
  let first: UInt64
  let end: UInt64

  init(vxid: UInt64, first: UInt64, end: UInt64) {
    self.vxid = vxid
    self.first = first
    self.end = end
  }

  init<Layout>(_ transaction: Transaction<Layout>) {
    self.init(vxid: transaction.vxid, first: transaction.firstPlace, end: transaction.endPlace)
  }
}

/// A grouper that is given pieces at arbitrary places.
private struct PlacedGrouper: ~Copyable {
  var grouper: Grouper<NarrowRecords>
  /// The place at which the last piece ends.
  private(set) var end: UInt64 = 0

  init(_ grouping: Grouping) {
    grouper = Grouper(
      options: GroupingOptions(
        grouping: grouping, candidateRule: .everything, wantsClient: true, wantsBackend: true,
        wantsESI: true),
      tags: TagTable(.v41))
  }

  /// Adds a piece, and carries out what the grouper has put off.
  mutating func add(_ lines: String, at place: UInt64) {
    SampleRecord.parse(lines).flatMap { $0.words(.twoWord) }.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return }
      let run = RecordRun<NarrowRecords>(start: start, byteCount: bytes.count, place: place)
      end = run.endPlace
      grouper.add(run)
    }
  }

  mutating func takeGroups() -> [[Places]] {
    var groups: [[Places]] = []
    while let group = grouper.next() { groups.append((0..<group.count).map { Places(group[$0]) }) }
    return groups
  }
}

/// A session, its requests and their fetches, with the records of each mixed with those of others.
private struct MixedLog {
  var log: LogFileBuilder
  /// The places at which each transaction begins and ends.
  private(set) var places: [UInt64: Places] = [:]
  private(set) var sessions: Set<UInt64> = []

  init(_ layout: SampleLayout, _ random: inout SeededGenerator) {
    log = LogFileBuilder(layout)
    var vxid: UInt64 = 0
    for _ in 0..<40 {
      let session = vxid + 1
      sessions.insert(session)
      let requests = Int.random(in: 1...4, using: &random)
      var scripts: [[(UInt64, String, String)]] = []
      var parent = [(session, "Begin", "sess 0 HTTP/1")]
      for number in 0..<UInt64(requests) {
        let (request, fetch) = (session + 1 + number * 2, session + 2 + number * 2)
        parent.append((session, "Link", "req \(request) rxreq"))
        let urls = (0..<Int.random(in: 0...5, using: &random)).map { (request, "ReqURL", "/\($0)") }
        scripts.append(
          [(request, "Begin", "req \(session) rxreq"), (request, "Link", "bereq \(fetch) fetch")] + urls
            + [(request, "End", "")])
        scripts.append([
          (fetch, "Begin", "bereq \(request) fetch"), (fetch, "BereqURL", "/"), (fetch, "End", ""),
        ])
      }
      scripts.append(parent + [(session, "End", "")])
      vxid = session + UInt64(requests) * 2
      while let script = scripts.indices.randomElement(using: &random) {
        for _ in 0..<Int.random(in: 1...3, using: &random) where !scripts[script].isEmpty {
          let (number, tag, text) = scripts[script].removeFirst()
          let first = UInt64(log.byteCount)
          log.add(number, .client, tag, text)
          places[number] = Places(
            vxid: number, first: places[number]?.first ?? first, end: UInt64(log.byteCount))
        }
        if scripts[script].isEmpty { scripts.remove(at: script) }
      }
    }
  }
}
