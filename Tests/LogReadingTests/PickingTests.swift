import LogReading
import TestSupport
import Testing
import VarnishLog

/// The records that a source picks out of the transactions that it hands over whole.
struct PickingTests {
  /// The records of a transaction: as a server may write them, and as none would.
  private static func transaction(
    _ vxid: UInt64, _ tags: SampleTags, _ random: inout SeededGenerator
  ) -> [SampleRecord] {
    let side: SampleRecord.Side = Bool.random(using: &random) ? .client : .backend
    func record(_ tag: String, _ text: String, _ other: SampleRecord.Side? = nil) -> SampleRecord {
      SampleRecord(
        vxid, other ?? side, tag: tags[tag], bytes: Array(text.utf8),
        terminated: Int.random(in: 0..<8, using: &random) > 0)
    }
    var records = [record("Begin", side == .client ? "req 1 rxreq" : "bereq 1 fetch")]
    let names = ["Host", "host", "HOSTS", "Ho", "User-Agent", "Accept", "X", "", "Age", "Via"]
    for _ in 0..<Int.random(in: 0..<60, using: &random) {
      let name = names.randomElement(using: &random) ?? ""
      switch Int.random(in: 0..<12, using: &random) {
      case 0: records.append(record("Link", "bereq \(vxid + 1) fetch"))
      case 1: records.append(record("VCL_call", "HIT"))
      case 2: records.append(record("ReqURL", "/\(name)", SampleRecord.Side.none))
      case 3: records.append(SampleRecord(vxid, side, tag: 240, bytes: Array("unknown".utf8)))
      case 4:
        records.append(
          record(
            "Timestamp", "\(["Start", "Resp", "Process"].randomElement(using: &random) ?? ""): 1.0 0.0 0.0"))
      case 5...7:
        records.append(
          record(
            "RespHeader", "\(name): \(String(repeating: "x", count: Int.random(in: 0..<300, using: &random)))"
          ))
      default: records.append(record("ReqHeader", "\(name)\(Bool.random(using: &random) ? ": value" : "")"))
      }
    }
    if Int.random(in: 0..<10, using: &random) > 0 { records.append(record("End", "")) }
    return records
  }

  /// Has a source pick some records, and compares them with the result of a walk through all records.
  ///
  /// - Returns: the number of transactions for which the source picked records.
  private static func examine<Source: LogSource & ~Copyable>(
    _ source: inout Source, _ numbering: TagNumbering, _ tags: SampleTags, unwanted: Side?
  ) throws -> Int {
    let names: [UInt8: [String]] = [
      tags["ReqHeader"]: ["host:", "user-agent:"], tags["RespHeader"]: ["age:", "via:"],
      tags["Timestamp"]: ["start:"],
    ]
    var wish = PickWish()
    wish.want(tags["VCL_call"])
    for (tag, names) in names { wish.want(tag, beginningWith: names.map { Array($0.utf8) }) }
    wish.unwantedSide = unwanted
    source.pick(wish, TagTable(numbering))
    var count = 0
    while case .records(let run) = try source.next() {
      var all: [UnsafeRawPointer] = []
      var wanted: [UnsafeRawPointer] = []
      var kinds: [UInt8] = []
      var cursor = run.makeCursor()
      while let record = cursor.next() {
        all.append(record.address)
        kinds.append(record.tag)
        let text = record.payload.text.lowercased()
        let isNamed = names[record.tag, default: []].contains { text.hasPrefix($0) }
        if isNamed || record.tag == tags["VCL_call"] { wanted.append(record.address) }
      }
      // If a run claims a shape, the claim is true; a usual transaction has a shape.
      let isWhole = kinds.first == tags["Begin"] && kinds.firstIndex(of: tags["End"]) == kinds.count - 1
      #expect(run.isBracketed == isWhole)
      if run.isBracketed { #expect((run.shape == .linked) == kinds.contains(tags["Link"])) }
      let isWanted = unwanted.map { Source.Layout.side(run.start) != $0 } ?? true
      guard let picked = source.picked(of: run) else {
        #expect(!isWhole || !isWanted)
        continue
      }
      count += 1
      let addresses = picked.records.map(\.address)
      #expect(addresses.filter(Set(wanted).contains) == wanted)
      #expect(all.filter(Set(addresses).contains) == addresses)
      #expect(
        picked.records.allSatisfy {
          $0.bytes.count == Record<Source.Layout>.byteCount($0.address.load(as: UInt32.self))
        })
      // Few records are picked in vain, or else a second walk through all of them would be as fast.
      #expect(addresses.count <= wanted.count + all.count / 2 + 2)
      let rest = RecordRun<Source.Layout>(start: run.start, byteCount: run.byteCount - 4)
      #expect(source.picked(of: rest) == nil, "another run's records aren't handed out")
    }
    return count
  }

  @Test(arguments: SampleLayout.allCases, [nil, Side.backend])
  func `a file's reader picks all that is wanted`(layout: SampleLayout, unwanted: Side?) throws {
    var random = SeededGenerator(seed: 91)
    var log = LogFileBuilder(layout)
    for number in 1...600 {
      for record in Self.transaction(UInt64(number * 3), log.tags, &random) { log.add(record) }
    }
    let directory = try TemporaryDirectory()
    try log.write(to: directory.file("log.vsl"))
    let file = try LogFile(path: directory.file("log.vsl"))
    let count: Int
    switch layout {
    case .twoWord:
      var source = FileRecords<NarrowRecords>(file, assuming: nil)
      try source.begin()
      count = try Self.examine(&source, source.numbering, log.tags, unwanted: unwanted)
    case .threeWord:
      var source = FileRecords<WideRecords>(file, assuming: nil)
      try source.begin()
      count = try Self.examine(&source, source.numbering, log.tags, unwanted: unwanted)
    }
    #expect(count > (unwanted == nil ? 400 : 150), "\(random)")
  }

  @Test(arguments: SampleLayout.allCases, [nil, Side.backend])
  func `a ring's reader picks all that is wanted`(layout: SampleLayout, unwanted: Side?) throws {
    var random = SeededGenerator(seed: 92)
    let instance = try SampleWorkdir()
    let ring = try instance.startWorker(layout, eighthWords: 1 << 16)
    let tags: SampleTags = layout == .twoWord ? .v7 : .v8
    var follower = InstanceFollower(path: instance.path)
    follower.refresh()
    let attached = try follower.attach(start: .tail, stopsAtTail: false)
    for number in 1...150 { ring.append(batch: Self.transaction(UInt64(number * 3), tags, &random)) }
    let count: Int
    switch consume attached {
    case .narrow(var source): count = try Self.examine(&source, .v41, tags, unwanted: unwanted)
    case .wide(var source): count = try Self.examine(&source, .v73, tags, unwanted: unwanted)
    default: throw SupportError("no log in \(instance.path)")
    }
    #expect(count > (unwanted == nil ? 90 : 35), "\(random)")
  }
}
