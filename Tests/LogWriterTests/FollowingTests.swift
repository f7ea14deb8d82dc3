import LogWriterSupport
import LogWriting
import TestSupport
import Testing
import VarnishLog

/// Logs of both record layouts, followed by the library's own reader.
struct FollowingTests {
  static let numberings: [TagNumbering] = [.v41, .v73, .v90]

  static func options(_ numbering: TagNumbering, logByteCount: Int = 1 << 18) -> LogWriterOptions {
    var options = LogWriterOptions(.indexed(numbering))
    options.logByteCount = logByteCount
    options.textByteCountMax = 1000
    options.batchByteCount = 4096
    return options
  }

  @Test(arguments: numberings)
  func `what eight threads write is read whole and once, through many turns`(numbering: TagNumbering) throws {
    let directory = try TemporaryDirectory()
    let writer = try LogWriter(directory: directory.path, options: Self.options(numbering))
    var reader = TrafficReader(directory.path, numbering: numbering)
    let attached = reader.read()
    #expect(attached.attachments == 1)
    var first: UInt64 = 0
    while writer.statistics.cycles < 8 {
      // Half of what the log holds, so that no reader can be lapped.
      WriterThreads.write(first..<first + 200, threads: 8, to: writer)
      let take = reader.read()
      try #require(take.problems.isEmpty && take.losses == 0)
      try #require(take.numbers.sorted() == Array(first..<first + 200))
      for thread in 0..<8 {
        let own = take.numbers.filter { $0 % 8 == UInt64(thread) }
        #expect(own == own.sorted(), "each thread's are in order")
      }
      first += 200
    }
    let statistics = writer.statistics
    #expect(statistics.writes == first && statistics.records == first * UInt64(Traffic.recordCount))
    #expect(statistics.truncations == 0 && statistics.skipped == 0 && statistics.flushes == 0)
  }

  @Test(arguments: numberings)
  func `a reader that is too slow loses whole transactions and reads no torn one`(
    numbering: TagNumbering
  ) throws {
    let directory = try TemporaryDirectory()
    let writer = try LogWriter(
      directory: directory.path, options: Self.options(numbering, logByteCount: 1 << 16))
    var reader = TrafficReader(directory.path, numbering: numbering)
    _ = reader.read()
    let done = Monitor(false)
    WriterThreads.start {
      WriterThreads.write(0..<12_000, threads: 4, to: writer)
      done.withLock { $0 = true }
    }
    var count = 0
    var losses = 0
    var isDone = false
    while !isDone {
      isDone = done.withLock { $0 }
      let take = reader.read()
      count += take.numbers.count
      losses += take.losses
      try #require(take.problems.isEmpty)
      #expect(Set(take.numbers).count == take.numbers.count)
    }
    #expect(count > 0 && losses > 0)
    #expect(count < 12_000)
  }

  @Test(arguments: numberings)
  func `a long transaction is written in pieces of one number`(numbering: TagNumbering) throws {
    let directory = try TemporaryDirectory()
    let writer = try LogWriter(directory: directory.path, options: Self.options(numbering))
    var records = try RawReader(directory.path)
    var transaction = writer.transaction(77, .backend)
    let texts = (0..<40).map { String(repeating: "\($0 % 10)", count: 500) }
    for text in texts { transaction.add(.bereqHeader, text) }
    let isWritten = transaction.commit()
    #expect(isWritten)
    let runs = try records.runs()
    #expect(runs.count == Int(writer.statistics.writes) && runs.count > 5)
    #expect(Int(writer.statistics.flushes) == runs.count - 1)
    #expect(runs.flatMap { $0 }.map(\.text) == texts)
    #expect(runs.joined().allSatisfy { $0.vxid == 77 && $0.side == .backend })
  }

  @Test(arguments: numberings)
  func `a text beyond the limit is cut and counted, one at the limit is not`(numbering: TagNumbering) throws {
    let directory = try TemporaryDirectory()
    let writer = try LogWriter(directory: directory.path, options: Self.options(numbering))
    var records = try RawReader(directory.path)
    let full = String(repeating: "x", count: 1000)
    var transaction = writer.transaction(5, .client)
    transaction.add(.reqURL, full)
    transaction.add(.reqURL, full + "y")
    transaction.add(.reqHeader, header: "Host", full)
    transaction.add(.reqHeader, header: String(repeating: "N", count: 999), "value")
    (full + "\0").utf8.withContiguousStorageIfAvailable {
      transaction.add(number: 20, payload: $0.span.bytes)
    }
    (full + "z\0").utf8.withContiguousStorageIfAvailable {
      transaction.add(number: 20, payload: $0.span.bytes)
    }
    transaction.commit()
    writer.append(.cli, full + "y")
    records.includesUnattributed = true
    let texts = try records.runs().joined().map(\.text)
    #expect(
      texts == [
        full, full, "Host: " + full.prefix(994), String(repeating: "N", count: 999) + ":", full, full + "z",
        full,
      ])
    #expect(writer.statistics.truncations == 5)
  }

  @Test func `records of the server stand alone and belong to nobody`() throws {
    let directory = try TemporaryDirectory()
    let writer = try LogWriter(directory: directory.path, options: Self.options(.v73))
    var records = try RawReader(directory.path)
    records.includesUnattributed = true
    writer.append(.cli, "Rd ping")
    writer.append(.link, "req 8 rxreq", vxid: 7, side: .client)
    let runs = try records.runs()
    #expect(runs.count == 2)
    #expect(runs.joined().map(\.text) == ["Rd ping", "req 8 rxreq"])
    #expect(runs.joined().map(\.vxid) == [0, 7])
  }

  @Test func `a tag that the numbering lacks is left out and counted`() throws {
    let directory = try TemporaryDirectory()
    let writer = try LogWriter(directory: directory.path, options: Self.options(.v73))
    var records = try RawReader(directory.path)
    var transaction = writer.transaction(5, .client)
    transaction.add(.backendReuse, "3 x")
    transaction.add(.end, "")
    transaction.commit()
    let found = try records.runs().joined().map(\.text)
    #expect(found == [""])
    transaction.begin(6, .client)
    transaction.add(.tls, "x")
    transaction.commit()
    writer.append(.reqTarget, "x")
    #expect(writer.statistics.skipped == 3)
    // Numbers that no reader would take for a transaction's are refused as well.
    transaction.begin(7, .client)
    let payload: [UInt8] = [0x78, 0]
    for number in [0, 254, 255] as [UInt8] { transaction.add(number: number, payload: payload.span.bytes) }
    transaction.commit()
    #expect(writer.statistics.skipped == 6)
    #expect(writer.statistics.records == 1)
    let rest = try records.runs()
    #expect(rest.isEmpty)
  }

  @Test func `what was not committed is not written`() throws {
    let directory = try TemporaryDirectory()
    let writer = try LogWriter(directory: directory.path, options: Self.options(.v73))
    var records = try RawReader(directory.path)
    do {
      var forgotten = writer.transaction(5, .client)
      forgotten.add(.reqURL, "/forgotten")
    }
    var transaction = writer.transaction(6, .client)
    transaction.add(.reqURL, "/begun")
    transaction.begin(7, .client)
    transaction.add(.reqURL, "/committed")
    transaction.commit()
    let found = try records.runs().joined().map(\.text)
    #expect(found == ["/committed"])
  }

  @Test func `the numbers of transactions begin at one and stay in what a record holds`() throws {
    let directory = try TemporaryDirectory()
    let writer = try LogWriter(directory: directory.path, options: Self.options(.v41))
    #expect((0..<5).map { _ in writer.nextVXID() } == [1, 2, 3, 4, 5])
    var records = try RawReader(directory.path)
    let largest: UInt64 = 0x3FFF_FFFF
    var transaction = writer.transaction(largest, .client)
    transaction.add(.end, "")
    transaction.commit()
    let found = try records.runs().joined().map(\.vxid)
    #expect(found == [largest])
  }

  @Test(arguments: numberings)
  func `a reader sees that a log was closed, and follows the next`(numbering: TagNumbering) throws {
    let directory = try TemporaryDirectory()
    var reader = TrafficReader(directory.path, numbering: numbering)
    for round in 0..<5 as Range<UInt64> {
      let writer = try LogWriter(directory: directory.path, options: Self.options(numbering))
      WriterThreads.write(round * 10..<round * 10 + 10, threads: 2, to: writer)
      let take = reader.read()
      #expect(take.problems.isEmpty && take.attachments == 1)
      #expect(take.numbers.sorted() == Array(round * 10..<round * 10 + 10))
      let isStale = reader.isStale()
      #expect(!isStale)
      var late = writer.transaction(1, .client)
      writer.close()
      let isStaleNow = reader.isStale()
      #expect(isStaleNow)
      late.add(.reqURL, "/late")
      let isWritten = late.commit()
      #expect(!isWritten)
      let rest = reader.read()
      #expect(rest.numbers.isEmpty && rest.problems.isEmpty)
    }
    #expect(directoryEntries(directory.path) == ["_.pid"])
  }
}
