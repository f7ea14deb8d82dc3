@testable import Checkpoints
import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// Entries that have waited for long are stored on disk even if there is memory for them; the next run finds
/// them there.
@Suite struct SpoolKeepingUpTests {
  private let places = ResumedPlaces()

  /// A sink that takes some entries, and then no more.
  private final class StoppedSink: Sink {
    let name = "stopped"
    private var left: Int
    private let taken: Collected<Int>

    init(after count: Int, _ taken: Collected<Int>) { (left, self.taken) = (count, taken) }

    func write(_ batch: EntryBatch, at now: Moment) -> SinkProgress {
      let part = batch.prefix(min(left, batch.count))
      for index in 0..<part.count {
        if let entry = ModelEntry(Array(part.entry(index))) { taken.append(entry.identifier) }
      }
      left -= part.count
      return SinkProgress(byteCount: part.byteCount, obstacle: left == 0 ? .absent : nil)
    }
  }

  private func options(keepsUp: Bool = true, _ change: (inout Spool.DiskOptions) -> Void = { _ in })
    -> Spool.Options
  {
    var disk = Spool.DiskOptions(directory: places.spool.path)
    disk.keepsUp = keepsUp
    disk.lineage = 7
    change(&disk)
    return Spool.Options(limitBytes: 1 << 20, blockBytes: LiveSpool.blockBytes, disk: disk)
  }

  private func append(_ numbers: Range<Int>, to writer: inout SpoolWriter) {
    for number in numbers {
      let entry = EndlessLog.entry(number)
      guard case .room(let room) = writer.reserve(entry.size) else { continue }
      room.copyBytes(from: entry.bytes)
      writer.commit(entry.size, EndlessLog.mark(of: number))
    }
    writer.publish()
  }

  private func takeAll(_ spool: Spool) throws -> [Int] {
    var reader = spool.makeReader()
    var numbers: [Int] = []
    while let batch = try reader.next() {
      for index in 0..<batch.count {
        numbers.append(ModelEntry(Array(batch.entry(index)))?.identifier ?? -1)
      }
      reader.take(batch.byteCount)
    }
    return numbers
  }

  @Test(arguments: [0, 5, 100]) func `what a stopped consumer leaves waiting survives a kill`(takenCount: Int)
    throws
  {
    let taken = Collected<Int>()
    let output = try Output(to: StoppedSink(after: takenCount, taken), spool: options())
    var writer = output.makeWriter()
    append(0..<300, to: &writer)
    // The producer checks now and then whether it has to leave its block.
    #expect(
      eventually {
        writer.publish()
        return output.settledThrough == 300
      })
    let left = places.copy()
    let next = try Spool(options { $0.directory = left.spool.path })
    #expect(next.inheritedEnd == EndlessLog.mark(of: 299).next)
    #expect(try taken.all + takeAll(next) == Array(0..<300))
    writer.finish()
    _ = output.join(drainSeconds: 0)
  }

  @Test func `only what has waited for a second is old`() {
    var lag = SpoolLag()
    lag.look(at: 5_000_000_000, publishedCount: 10)
    #expect(lag.oldCount == 0)
    lag.look(at: 5_900_000_000, publishedCount: 20)
    #expect(lag.oldCount == 0)
    #expect(lag.wait(at: 5_900_000_000) == 100_000_000)
    lag.look(at: 6_100_000_000, publishedCount: 30)
    #expect(lag.oldCount == 10)
    lag.look(at: 7_000_000_000, publishedCount: 40)
    #expect(lag.oldCount == 10)
    lag.look(at: 7_200_000_000, publishedCount: 50)
    #expect(lag.oldCount == 30)
  }

  @Test func `a consumer that has taken what is old leaves nothing to store`() throws {
    let spool = try Spool(options())
    var writer = spool.makeWriter()
    var reader = spool.makeReader()
    append(0..<100, to: &writer)
    #expect(spool.leavesWaiting(100))
    while let batch = try reader.next() { reader.take(batch.byteCount) }
    append(100..<120, to: &writer)
    #expect(!spool.leavesWaiting(100))
    #expect(spool.usage.diskBytes == 0)
  }

  @Test func `what was kept at the end is stored`() throws {
    let output = try Output(to: StoppedSink(after: 5, Collected<Int>()), spool: options())
    var writer = output.makeWriter()
    append(0..<300, to: &writer)
    writer.finish()
    _ = output.join(drainSeconds: 0)
    #expect(output.settledThrough == 300)
  }

  // MARK: Gaps

  /// Leaves frames behind a gap of entries that were lost with memory, all of them among the first 100.
  private func leaveGap() throws -> Range<Int> {
    let spool = try Spool(options())
    var writer = spool.makeWriter()
    var reader = spool.makeReader()
    spool.disk?.noteLineage()
    var spiller = Spiller(spool, ThreadEnd())
    append(0..<100, to: &writer)
    reader.take(try #require(try reader.next()).byteCount / 2)
    while try spiller.spillOne() {}
    let frames = spool.queue.frames
    return try #require(frames.first).frame.firstSequence..<(try #require(frames.last)).frame.endSequence
  }

  @Test func `frames behind a gap are dropped if all comes again`() throws {
    let stored = try leaveGap()
    let spool = try Spool(
      options {
        $0.settledThrough = 3
        $0.repeatedFrom = EntryMark(place: 100, ordinal: .max)
      })
    #expect(spool.usage.inherited == .zero)
    #expect(spool.newSequence == 3)
    #expect(spool.inheritedEnd == .start)
    var writer = spool.makeWriter()
    append(3..<stored.upperBound, to: &writer)
    var spiller = Spiller(spool, ThreadEnd())
    while try spiller.spillOne() {}
    let count = spool.queue.frames.reduce(0) { $0 + $1.frame.entryCount }
    // After another kill, the dropped frames aren't there beside the new ones with the same numbers.
    let left = places.copy()
    let next = try Spool(options { $0.directory = left.spool.path })
    #expect(next.usage.inherited.entries == count)
    #expect(try takeAll(next) == Array(3..<3 + count))
  }

  @Test func `frames behind a gap are kept if they don't come again`() throws {
    let stored = try leaveGap()
    let said = Collected<String>()
    // The log is read again from behind the first stored entry.
    let mark = EntryMark(place: EndlessLog.mark(of: stored.lowerBound).place, ordinal: .max)
    let spool = try Spool(
      options {
        $0.settledThrough = 3
        $0.repeatedFrom = mark
        $0.warn = { said.append($0) }
      })
    #expect(
      said.all.contains("\(places.spool.path): \(stored.lowerBound - 3) lines of an earlier run are lost"))
    #expect(spool.inheritedEnd == EndlessLog.mark(of: stored.upperBound - 1).next)
    #expect(try takeAll(spool) == Array(stored))
  }

  // MARK: Whose it is

  @Test func `marks of another checkpoint mean nothing`() throws {
    _ = try leaveGap()
    let spool = try Spool(options { $0.lineage = 8 })
    #expect(spool.usage.inherited.entries > 0)
    #expect(spool.inheritedEnd == .start)
  }

  @Test func `a sequence of a checkpoint whose run wasn't the last one here is not believed`() throws {
    let stored = try leaveGap()
    // A run without a checkpoint.
    let other = try Spool(options { $0.lineage = 0 })
    other.disk?.noteLineage()
    let left = places.copy()
    let spool = try Spool(
      options {
        $0.directory = left.spool.path
        $0.settledThrough = 1000
      })
    withExtendedLifetime(other) {}
    #expect(try takeAll(spool) == Array(stored))
  }

  @Test func `a sequence beyond all that is there costs nothing new`() throws {
    let spool = try Spool(options { $0.settledThrough = 5000 })
    var writer = spool.makeWriter()
    append(0..<50, to: &writer)
    #expect(try takeAll(spool) == Array(0..<50))
  }

  @Test func `the mark of a damaged entry isn't believed`() throws {
    let stored = try leaveGap()
    let name = try #require(places.spool.names.first { $0 != "cursor" })
    guard case .found(let file) = try SpoolFile.find(1, in: places.spool.path, system: .real) else {
      Issue.record("no file")
      return
    }
    let last = try #require(try file.frames().last)
    var bytes = places.spool.bytes(name)
    // The place of the last entry, whose slot is the first behind the entries.
    bytes[last.offset + SpoolFrame.byteCount + last.frame.entryBytes + 14] ^= 1
    places.spool.overwrite(name, bytes)
    let copy = places.copy()
    let spool = try Spool(options { $0.directory = copy.spool.path })
    #expect(spool.inheritedEnd == EndlessLog.mark(of: last.frame.firstSequence - 1).next)
    #expect(try takeAll(spool) == Array(stored.lowerBound..<last.frame.firstSequence))
  }

  // MARK: Version 0.1.0

  /// A file as written by version 0.1.0, byte by byte.
  private func former(_ lines: [String], firstSequence: UInt64) -> [UInt8] {
    func word(_ value: some FixedWidthInteger) -> [UInt8] {
      withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
    func crc(_ bytes: [UInt8], from start: UInt32 = 0) -> UInt32 {
      bytes.withUnsafeBytes { SpoolFrame.checksum(continuing: start, $0) }
    }
    let key: UInt32 = 0x1234_5678
    var header = word(UInt64(0x314c_4f4f_5053_5753)) + word(UInt64(0)) + word(key)
    header += word(crc(header)) + [UInt8](repeating: 0, count: 8)
    let entries = lines.flatMap { Array(($0 + "\n").utf8) }
    var end = 0
    var slots: [UInt8] = []
    for line in lines {
      end += line.utf8.count + 1
      slots = word(UInt32(end)) + slots
    }
    let checked =
      word(crc(entries + slots)) + word(UInt32(lines.count)) + word(firstSequence)
      + word(UInt64(entries.count))
    return header + header + word(UInt32(0x4652_5753)) + word(crc(checked, from: key)) + checked + entries
      + slots
  }

  @Test func `what version 0.1.0 has left comes first`() throws {
    let lines = (0..<40).map { "line \($0) of a former version" }
    var file = former(lines, firstSequence: 17)
    file += [UInt8](repeating: 0, count: (64 - file.count % 64) % 64)
    places.spool.write("spool-000000000001", file)
    chmod(places.spool.file("spool-000000000001"), 0o600)
    let spool = try Spool(options { $0.settledThrough = 0 })
    #expect(spool.startSequence == 17)
    #expect(spool.inheritedEnd == .start)
    var reader = spool.makeReader()
    let batch = try #require(try reader.next())
    #expect(splitLines(Array(batch.bytes)) == lines)
    #expect((0..<batch.count).allSatisfy { batch.mark(of: $0) == .start })
  }

  // MARK: The journal

  @Test func `what only one copy of a checkpoint has doesn't count as noted`() throws {
    let file = try CheckpointFile(places.home.file("checkpoint"))
    let journal = OutputJournal(try file.makeOutputPart("out"), from: OutputStanding(), startingAt: 0)
    journal.settle(through: 10, at: nil)
    journal.settle(through: 10, at: nil)
    #expect(journal.settledThrough == 0)
    journal.settle(through: 20, at: nil)
    #expect(journal.settledThrough == 10)
    #expect(journal.rest())
    #expect(journal.settledThrough == 20)
    #expect(!journal.rest())
    for copy in 0..<2 {
      let left = places.copy()
      left.damageCheckpoint(copy: copy)
      let found = try CheckpointFile.read(left.home.file("checkpoint")).0
      #expect(found.outputs.first?.standing.sequence == 20)
    }
  }
}
