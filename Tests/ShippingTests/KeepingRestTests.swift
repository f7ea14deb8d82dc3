import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// Which entries are stored on disk at the end if some are missing between those that a sink hasn't settled.
@Suite struct KeepingRestTests {
  private let directory = TemporaryDirectory()

  private func live() throws -> LiveSpool {
    try LiveSpool(memoryBlocks: 16, diskBytes: 1 << 20, in: directory.file("spool"))
  }

  private static func run(_ sequences: Range<Int>) -> EntryRun {
    var list = EntryList(bytes: [], ends: [])
    for sequence in sequences {
      list.bytes += Array("line \(sequence)\n".utf8)
      list.ends.append(list.bytes.count)
    }
    return EntryRun(firstSequence: sequences.lowerBound, entries: list)
  }

  private func takeAll(_ live: LiveSpool) throws -> [String] {
    var bytes: [UInt8] = []
    while let batch = try live.reader.next() {
      bytes += batch.bytes
      live.reader.take(batch.byteCount)
    }
    return splitLines(bytes)
  }

  private static func lines(_ sequences: [Int]) -> [String] { sequences.map { "line \($0)" } }

  /// Carries entries through a spool, of which `rest` weren't settled at its end.
  ///
  /// - Returns: how many entries were kept.
  private func keep(_ rest: [EntryRun], of count: Int) throws -> Int {
    let live = try live()
    for sequence in 0..<count { #expect(live.append(Array("line \(sequence)\n".utf8))) }
    live.writer.finish()
    #expect(try takeAll(live).count == count)
    live.reader.settle(through: rest.first?.firstSequence)
    try live.reader.keepRest(rest)
    return live.spool.usage.kept.entries
  }

  @Test func `what lies in front of a gap is kept, too`() throws {
    // Entries 4 and 5 were given up.
    #expect(try keep([Self.run(2..<4), Self.run(6..<10)], of: 10) == 6)
    let next = try live()
    // All entries lie in one block, so those that were given up come again, too; no other is missing.
    #expect(try takeAll(next) == Self.lines(Array(2..<10)))
  }

  @Test func `what is in memory no more is written in its runs`() throws {
    #expect(try keep([Self.run(100..<200), Self.run(300..<400)], of: 2000) == 200)
    let next = try live()
    #expect(try takeAll(next) == Self.lines(Array(100..<200) + Array(300..<400)))
  }

  @Test func `runs are taken apart where blocks begin`() {
    var runs = EntryRuns([Self.run(2..<4), Self.run(6..<10)])
    #expect(runs.take(before: 2).isEmpty)
    #expect(runs.take(before: 3).map(\.firstSequence) == [2])
    let pieces = runs.take(before: 8)
    #expect(pieces.map(\.firstSequence) == [3, 6])
    #expect(pieces.map(\.tally.entries) == [1, 2])
    #expect(pieces.map(\.tally.bytes) == [7, 14])
    #expect(runs.take(before: 100).map(\.firstSequence) == [8])
    #expect(runs.take(before: 100).isEmpty)
  }
}
