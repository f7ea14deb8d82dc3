import LogReading
import TestSupport
import Testing
import Transactions
import VarnishLog

/// Copies of a ring that were taken page by page while it was written.
///
/// No line may come of a copy that wasn't logged, and each byte is accounted for.
struct TornCopyTests {
  /// The result of reading a copy.
  struct Outcome {
    var numbers: [Int] = []
    /// Transactions that differ from all that were logged.
    var mixed = 0
    var account = ImageAccount()
  }

  @Test(arguments: RingKind.allCases)
  func `of a quiet ring, all is read but what is partly overwritten`(kind: RingKind) throws {
    var random = SeededGenerator()
    for turns in [0.3, 1.4, 2.7, 9.1] {
      let log = try MarkedLog(kind, random)
      log.log(Self.requests(log, turns))
      let copy = Self.copy(log, pageBytes: 4096) {}
      let (plain, searched) = (try read(copy, log), try read(copy, log, salvages: true))
      for outcome in [plain, searched] {
        #expect(outcome.mixed == 0, "\(turns) \(random)")
        #expect(outcome.account.byteCount == log.ringByteCount, "\(turns) \(outcome.account)")
        // All requests that ended, up to the newest, except for a few after the oldest whose beginning is
        // overwritten.
        let expected = Set((outcome.numbers.min() ?? 0)...log.lastNumber).subtracting(log.open)
        let missing = expected.subtracting(outcome.numbers).sorted()
        #expect(
          missing.allSatisfy { $0 < (outcome.numbers.min() ?? 0) + 40 }, "\(turns) \(missing) \(random)")
        #expect(outcome.numbers.count >= expected.count - 20)
      }
      #expect(plain.account.givenUp == GivenUp(), "\(turns) \(plain.account)")
      let wasTurned = turns > 1
      #expect((plain.account.formerByteCount > 0) == wasTurned, "\(turns) \(plain.account)")
      #expect(searched.account.formerByteCount == 0)
      // Only the record that is partly overwritten is lost.
      #expect(searched.account.givenUp.byteCount < 4096, "\(turns) \(searched.account)")
      #expect(Set(searched.numbers).isSuperset(of: plain.numbers))
      #expect(!wasTurned || searched.numbers.count > log.ringByteCount / log.requestByteCount / 2)
      _ = random.next()
    }
  }

  @Test(arguments: RingKind.allCases)
  func `of a ring that turns meanwhile, each line is one that was logged`(kind: RingKind) throws {
    var random = SeededGenerator()
    var (delivered, searched, givenUp, mixed) = (0, 0, 0, 0)
    let log = try MarkedLog(kind, random)
    log.log(Self.requests(log, 1.5))
    for round in 0..<48 {
      // From a server that is much slower than the copy to one that laps it several times.
      let turns = [0.02, 0.2, 1, 4][round % 4]
      let pageBytes = [4096, 512, 4096, 10_240][Int.random(in: 0..<4, using: &random)]
      let pages = log.file.byteCount / pageBytes + 1
      var due = 0.0
      let copy = Self.copy(log, pageBytes: pageBytes) {
        due += Double(Self.requests(log, turns)) / Double(pages) * Double.random(in: 0...2, using: &random)
        log.log(Int(due))
        due -= due.rounded(.down)
      }
      for salvages in [false, true] {
        let outcome = try read(copy, log, salvages: salvages)
        mixed += outcome.mixed
        #expect(Set(outcome.numbers).count == outcome.numbers.count, "round \(round), \(random)")
        #expect(outcome.numbers.allSatisfy { $0 <= log.lastNumber })
        #expect(
          outcome.account.byteCount == log.ringByteCount, "round \(round), \(outcome.account), \(random)")
        givenUp += outcome.account.givenUp.byteCount
        if salvages { searched += outcome.numbers.count } else { delivered += outcome.numbers.count }
      }
    }
    // In logs of 2.0 to 3.0, a page that begins in the middle of a text may continue another text; nothing in
    // a record shows this.
    #expect(mixed <= (kind.isOld ? 4 : 0), "\(mixed), \(random)")
    // Guards against a test that reads nothing.
    let whole = 48 * log.ringByteCount / log.requestByteCount
    #expect(givenUp > 0)
    #expect(delivered > whole / 10, "\(delivered) of \(whole)")
    #expect(searched > whole / 2, "\(searched) of \(whole)")
  }

  // MARK: Copying and reading

  private static func requests(_ log: MarkedLog, _ turns: Double) -> Int {
    Int(turns * Double(log.ringByteCount) / Double(log.requestByteCount))
  }

  /// Copies the file from its beginning to its end; `betweenPages` runs in front of each page.
  private static func copy(_ log: MarkedLog, pageBytes: Int, _ betweenPages: () -> Void) -> [UInt8] {
    var copy: [UInt8] = []
    copy.reserveCapacity(log.file.byteCount)
    while copy.count < log.file.byteCount {
      betweenPages()
      let count = min(pageBytes, log.file.byteCount - copy.count)
      copy += UnsafeRawBufferPointer(start: log.file.base + copy.count, count: count)
    }
    return copy
  }

  private func read(_ copy: [UInt8], _ log: MarkedLog, salvages: Bool = false) throws -> Outcome {
    let directory = try TemporaryDirectory()
    let name = log.file.path.split(separator: "/").last.map(String.init) ?? ""
    try writeFile(directory.file(name), copy)
    var options = CaptureOptions()
    options.salvages = salvages
    switch try CapturedInput.find(directory.path).open(options) {
    case .narrowImage(var source): return try drain(&source)
    case .wideImage(var source): return try drain(&source)
    case .image20(var source): return try drain(&source)
    case .image21(var source): return try drain(&source)
    case .image30(var source): return try drain(&source)
    default: throw SupportError("a ring was taken for a file")
    }
  }

  private func drain<Source: CapturedSource & ~Copyable>(_ source: inout Source) throws -> Outcome {
    var outcome = Outcome()
    var requests = RequestGrouper<Source.Layout>(source.numbering)
    var gaps = 0
    while true {
      switch try source.next() {
      case .records(let run): requests.add(run, &outcome.numbers, &outcome.mixed)
      case .gap(let bytes):
        gaps += bytes.count
        requests.forget()
      case .end:
        guard let account = source.account else { throw SupportError("a copy that isn't accounted for") }
        outcome.account = account
        #expect(gaps == outcome.account.givenUp.byteCount)
        return outcome
      case .idle, .overrun, .damaged: throw SupportError("a copy doesn't change")
      }
    }
  }
}

/// Groups the records of a `MarkedLog` into requests, and identifies these.
struct RequestGrouper<Layout: RecordLayout>: ~Copyable {
  private let tags: TagTable
  private var grouper: Grouper<Layout>

  init(_ numbering: TagNumbering) {
    tags = TagTable(numbering)
    let options = GroupingOptions(
      grouping: .vxid, candidateRule: .everything, wantsClient: true, wantsBackend: true, wantsESI: true)
    grouper = Grouper(options: options, tags: tags)
  }

  /// Adds the requests that end in this run of records, and counts those that weren't logged in this form.
  mutating func add(_ run: RecordRun<Layout>, _ numbers: inout [Int], _ mixed: inout Int) {
    _ = grouper.add(run)
    while let group = grouper.next() {
      for index in 0..<group.count where !group[index].isForced && group[index].type == .request {
        if let number = MarkedLog.number(of: group[index], tags) {
          numbers.append(number)
        } else {
          mixed += 1
        }
      }
    }
  }

  /// Discards transactions that haven't ended.
  mutating func forget() { _ = grouper.discardOpen() }

  /// Discards the run added last.
  mutating func forgetTorn() { grouper.discardTornPiece() }
}
