import Glibc
import LogWriterSupport
import LogWriting
import SharedMemory
import TestSupport
import Testing
import VarnishLog

/// The log in a single file, read by a small model of a reader.
struct SingleFileTests {
  private static func options() -> LogWriterOptions {
    var options = LogWriterOptions(.singleFile)
    options.logByteCount = 1 << 17
    options.textByteCountMax = 1000
    options.batchByteCount = 4096
    return options
  }

  /// The expected records of a transaction in 3.0's tags, with the request's number `xid`.
  private static func expected(_ number: UInt64, xid: String) -> [(UInt8, String)] {
    let numbers: [VarnishLog.Tag: UInt8] = [.reqMethod: 15, .reqURL: 18, .reqHeader: 20, .respStatus: 23]
    let times = "1700000000.123456 1700000000.123456 0.000000000 0.000000 0.000000000"
    return [(41, "192.0.2.\(number % 256) 51234 \(xid)")]
      + Traffic.records(number).compactMap { tag, text in numbers[tag].map { ($0, text) } }
      + [(4, "\(xid) \(times)")]
  }

  @Test func `what eight threads write is read whole and once, through many turns`() throws {
    let directory = try TemporaryDirectory()
    let writer = try LogWriter(directory: directory.path, options: Self.options())
    let walk = try SectionWalk(directory.path)
    let log = try #require(try walk.sections()?.list.first { $0.kind == "Log" })
    var reader = TurningReader(words: walk.base + log.offset, byteCount: writer.options.logByteCount)
    var first: UInt64 = 0
    while writer.statistics.cycles < 8 {
      WriterThreads.write(first..<first + 100, threads: 8, to: writer)
      var numbers: [UInt64] = []
      while let start = reader.next() {
        // All records of a transaction lie together.
        var records = [start]
        while records.count < 6, let record = reader.next() { records.append(record) }
        try #require(Set(records.map(\.id)).count == 1)
        let number = try #require(Traffic.number(inURL: records[2].text))
        let xid = records[0].text.split(separator: " ").last.map(String.init) ?? ""
        let expected = Self.expected(number, xid: xid)
        #expect(records.count == expected.count)
        #expect(zip(records, expected).allSatisfy { $0.tag == $1.0 && $0.text == $1.1 })
        numbers.append(number)
      }
      try #require(numbers.sorted() == Array(first..<first + 100))
      first += 100
    }
    // 3.0 has no equivalent of `Begin` and `Timestamp`.
    #expect(writer.statistics.skipped == first * 2)
    #expect(writer.statistics.records == first * 6)
    let stat = try #require(try walk.sections()?.list.first { $0.kind == "Stat" })
    let counters = (0..<98).map {
      walk.base.load(fromByteOffset: stat.offset + $0 * 8, as: UInt64.self)
    }
    #expect(counters[61] == first * 6)
    #expect(counters[62] == first)
    #expect(counters[65] == writer.statistics.cycles)
  }

  @Test func `the ring's order is kept by the turn and the marks`() throws {
    let memory = StoreList()
    let pins = RingPins()
    var appender = TurningAppender(memory, ringWords: 64, turn: .max, pins: pins)
    appender.setUp()
    #expect(memory.take().first == .word(0xFF45_4545, at: 1, releasing: false))
    var lastEnd = 1
    while true {
      guard let reservation = appender.reserve(7) else { throw SupportError("nothing is pinned") }
      pins.unpin(reservation.eighths)
      let stores = memory.take()
      if reservation.wrapped {
        // In this order: the end mark at the front, the new turn, the wrap mark that leads there; then the
        // end mark behind the record.
        #expect(
          stores == [
            .word(0xFF45_4545, at: 1, releasing: false), .word(1, at: 0, releasing: true),
            .word(0xFF57_5757, at: lastEnd, releasing: true), .fence,
            .word(0xFF45_4545, at: 8, releasing: false), .fence,
          ])
        return
      }
      #expect(reservation.start == lastEnd)
      lastEnd = reservation.start + 7
      #expect(stores == [.word(0xFF45_4545, at: lastEnd, releasing: false), .fence])
    }
  }
}
