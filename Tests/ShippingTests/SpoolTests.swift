import Platform
import Glibc
@testable import Shipping
@testable import Spool
import Testing

@Suite struct SpoolTests {
  private func lines(_ reader: inout SpoolReader) throws -> [String] {
    var bytes: [UInt8] = []
    while let batch = try reader.next() {
      bytes += batch.bytes
      reader.take(batch.byteCount)
    }
    return splitLines(bytes)
  }

  @Test func committedEntriesAreSeenOnlyWhenPublished() throws {
    let spool = try Spool()
    var writer = spool.makeWriter()
    var reader = spool.makeReader()
    writer.append("one")
    #expect(try lines(&reader) == [])
    writer.publish()
    #expect(try lines(&reader) == ["one"])
    #expect(try lines(&reader) == [])
  }

  @Test func aCancelledReservationLeavesNothing() throws {
    let spool = try Spool()
    var writer = spool.makeWriter()
    var reader = spool.makeReader()
    writer.append("one")
    if case .room(let room) = writer.reserve(10) { room.copyBytes(from: Array("torn".utf8)) }
    writer.append("two")
    writer.publish()
    #expect(try lines(&reader) == ["one", "two"])
  }

  @Test func aReservationHasTheRoomThatWasAskedFor() throws {
    let spool = try Spool(Spool.Options(blockBytes: 4096))
    var writer = spool.makeWriter()
    for size in [1, 100, 4000, 4096, 5000, 100_000, 1] {
      guard case .room(let room) = writer.reserve(size) else {
        Issue.record("no room for \(size) bytes")
        return
      }
      #expect(room.count >= size)
      // All of the room must be writable; the address sanitizer and the kernel detect if it isn't.
      room.initializeMemory(as: UInt8.self, repeating: 0x61)
      writer.commit(size)
    }
  }

  @Test func entriesLargerThanABlockPass() throws {
    let spool = try Spool(Spool.Options(blockBytes: 4096))
    var writer = spool.makeWriter()
    var reader = spool.makeReader()
    let large = String(repeating: "x", count: 50_000)
    for line in ["a", large, "b", large, large, "c"] { writer.append(line) }
    writer.publish()
    #expect(try lines(&reader) == ["a", large, "b", large, large, "c"])
  }

  @Test func bytesTakenInTheMiddleOfAEntryCompleteItLater() throws {
    let spool = try Spool()
    var writer = spool.makeWriter()
    var reader = spool.makeReader()
    for line in ["12", "4567", "9"] { writer.append(line) }
    writer.publish()
    _ = try reader.next()
    let first = reader.take(4)
    #expect(first == Tally(entries: 1, bytes: 3))
    let rest = try reader.next().map { splitLines(Array($0.bytes)) }
    #expect(rest == ["567", "9"])
    let second = reader.take(4)
    #expect(second == Tally(entries: 1, bytes: 5))
    let third = reader.take(2)
    #expect(third == Tally(entries: 1, bytes: 2))
    #expect(spool.usage.taken == Tally(entries: 3, bytes: 10))
    #expect(spool.usage.waiting == .zero)
  }

  @Test func aBatchCanBeCutBetweenAnyTwoEntries() throws {
    let spool = try Spool()
    var writer = spool.makeWriter()
    var reader = spool.makeReader()
    for line in ["1", "23", "456"] { writer.append(line) }
    writer.publish()
    let offered = try reader.next()
    let batch = try #require(offered)
    let ends = [2, 5, 9]
    for bytes in 0...10 {
      #expect(batch.entryCount(within: bytes) == ends.count { $0 <= bytes })
      let reaching = (ends.firstIndex { $0 >= bytes } ?? 2) + 1
      #expect(batch.entryCount(reaching: bytes) == reaching)
    }
    #expect(batch.prefix(2).byteCount == 5)
    #expect(batch.prefix(0).byteCount == 0)
  }

  @Test func whatFindsNoRoomIsDroppedAndCountedExactly() throws {
    let spool = try Spool(Spool.Options(limitBytes: 64 << 10, blockBytes: 8192))
    var writer = spool.makeWriter()
    var reader = spool.makeReader()
    var kept: [String] = []
    let count = 10_000
    for index in 0..<count where writer.append("line \(index)") { kept.append("line \(index)") }
    writer.publish()
    #expect(kept.count < count)
    #expect(kept.count * (8 + SpoolWriter.entryOverhead) > 32 << 10, "most of the limit is used")
    #expect(spool.usage.committed.entries == kept.count)
    #expect(spool.usage.memoryBytesMax <= 64 << 10)
    #expect(try lines(&reader) == kept)
    let isKept1 = writer.append("after")
    #expect(isKept1, "there is room again")
    writer.publish()
    #expect(try lines(&reader) == ["after"])
  }

  @Test func aEntryLargerThanTheLimitIsDroppedOrPassesWhenItMayWait() throws {
    let large = String(repeating: "x", count: 100_000)
    for overflow in [Spool.Overflow.drop, .block] {
      let spool = try Spool(
        Spool.Options(limitBytes: 32 << 10, overflow: overflow, blockBytes: 4096))
      var writer = spool.makeWriter()
      let isKept2 = writer.append(large)
      #expect(isKept2 == (overflow == .block))
    }
  }

  @Test func memoryIsTakenWhenNeededAndGivenBack() throws {
    let spool = try Spool(Spool.Options(blockBytes: 64 << 10))
    var writer = spool.makeWriter()
    var reader = spool.makeReader()
    #expect(spool.usage.memoryBytes == 64 << 10)
    let line = String(repeating: "x", count: 999)
    for _ in 0..<20_000 { writer.append(line) }
    writer.publish()
    #expect(spool.usage.memoryBytes > 19 << 20)
    #expect(spool.usage.waiting == Tally(entries: 20_000, bytes: 20_000_000))
    #expect(try lines(&reader).count == 20_000)
    #expect(spool.usage.memoryBytes <= 9 * (64 << 10))
    #expect(spool.usage.memoryBytesMax > 19 << 20)
  }

  @Test func aBlockingProducerIsEndedByALeavingConsumer() throws {
    let spool = try Spool(
      Spool.Options(limitBytes: 8192, overflow: .block, blockBytes: 4096))
    let producer = TestThread { () -> Int in
      var writer = spool.makeWriter()
      var count = 0
      while writer.append("line") { count += 1 }
      return count
    }
    var reader = spool.makeReader()
    while spool.usage.committed.entries == 0 { sched_yield() }
    _ = try reader.next()
    leave(reader)
    #expect(try #require(producer.join()) > 0)
  }

  private func leave(_ reader: consuming SpoolReader) {}

  @Test func aBlockingProducerIsEndedByTheInterruptDescriptor() throws {
    let pipe = TestPipe()
    let spool = try Spool(
      Spool.Options(
        limitBytes: 8192, overflow: .block, blockBytes: 4096, interruptDescriptor: pipe.readEnd))
    let producer = TestThread { () -> Int in
      var writer = spool.makeWriter()
      var count = 0
      while writer.append("line") { count += 1 }
      guard case .interrupted = writer.reserve(5) else { return -1 }
      return count
    }
    let reader = spool.makeReader()
    Glibc.write(pipe.writeEnd, "x", 1)
    let count = try #require(producer.join())
    #expect(spool.usage.committed.entries == count, "what isn't there yet is no lack of room")
    leave(reader)
  }

  @Test func noMemoryIsAnErrorAtFirstAndADropLater() throws {
    let never = FaultPlan { call, _ in call == .mmap ? .fail(ENOMEM) : nil }
    let error = #expect(throws: SpoolError.self) {
      try Spool(Spool.Options(), system: never.system)
    }
    #expect(
      error?.description == "spool: memory for the first block: Cannot allocate memory")

    for overflow in [Spool.Overflow.drop, .block] {
      let spool = try Spool(
        Spool.Options(overflow: overflow, blockBytes: 4096),
        system: FaultPlan { call, count in call == .mmap && count == 2 ? .fail(ENOMEM) : nil }
          .system)
      var writer = spool.makeWriter()
      let line = String(repeating: "x", count: 3000)
      let isKept3 = writer.append(line)
      #expect(isKept3)
      guard case .full = writer.reserve(line.utf8.count + 1) else {
        Issue.record("there was memory")
        return
      }
      let isKept5 = writer.append(line)
      #expect(isKept5)
    }
  }

  @Test func committingMoreThanTheRoomTraps() async {
    await #expect(processExitsWith: .failure) {
      let spool = try Spool(Spool.Options(blockBytes: 4096))
      var writer = spool.makeWriter()
      writer.commit(4096)
    }
  }
}
