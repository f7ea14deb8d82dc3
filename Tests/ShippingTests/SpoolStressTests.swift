@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// One producer and one consumer at full speed: every entry once, whole, in order.
@Suite struct SpoolStressTests {
  /// Writes an entry that identifies itself and can be checked byte by byte.
  private static func fill(_ room: UnsafeMutableRawBufferPointer, _ index: Int, _ size: Int) {
    room.storeBytes(of: UInt64(index), as: UInt64.self)
    for offset in 8..<size { room[offset] = UInt8(truncatingIfNeeded: index &+ offset) }
  }

  private static func isWhole(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Bool {
    guard bytes.count >= 8, bytes.loadUnaligned(as: UInt64.self) == UInt64(index) else {
      return false
    }
    return (8..<bytes.count).allSatisfy { bytes[$0] == UInt8(truncatingIfNeeded: index &+ $0) }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
  func blockingLosesNothing(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let options = Spool.Options(
      limitBytes: 16384 << Int.random(in: 0...4, using: &generator), overflow: .block,
      blockBytes: 4096 << Int.random(in: 0...3, using: &generator))
    let spool = try Spool(options)
    let count = 30_000
    let producer = TestThread {
      var generator = SeededGenerator(seed: seed &* 31)
      var writer = spool.makeWriter()
      for index in 0..<count {
        let isLarge = Int.random(in: 0..<500, using: &generator) == 0
        let size = Int.random(in: 8...(isLarge ? 20_000 : 200), using: &generator)
        guard case .room(let room) = writer.reserve(size) else { break }
        SpoolStressTests.fill(room, index, size)
        if Int.random(in: 0..<20, using: &generator) == 0 {
          guard case .room(let again) = writer.reserve(size) else { break }
          SpoolStressTests.fill(again, index, size)
        }
        writer.commit(size)
        if Int.random(in: 0..<50, using: &generator) == 0 { writer.publish() }
      }
      writer.finish()
    }
    var reader = spool.makeReader()
    var expected = 0
    var isWhole = true
    while isWhole {
      let isFinished = reader.isFinished
      guard let batch = try reader.next() else {
        if isFinished { break }
        continue
      }
      let taken = Int.random(in: 1...batch.count, using: &generator)
      var start = 0
      for index in 0..<taken {
        let end = batch.endOffset(of: index)
        isWhole =
          isWhole
          && SpoolStressTests.isWhole(
            UnsafeRawBufferPointer(rebasing: batch.bytes[start..<end]), expected)
        expected += 1
        start = end
      }
      reader.take(start)
    }
    #expect(isWhole, "seed \(seed): entry \(expected - 1)")
    #expect(expected == count, "seed \(seed)")
    leave(reader)
    _ = producer.join()
    #expect(spool.usage.committed == spool.usage.taken)
  }

  private func leave(_ reader: consuming SpoolReader) {}

  @Test(arguments: [11, 12, 13, 14] as [UInt64])
  func aSleepingWriterThreadMissesNothing(seed: UInt64) throws {
    // Tiny batches and many sleeps: a lost wake-up would hang here.
    let sink = CollectingSink()
    let output = try Output(to: sink, spool: Spool.Options(blockBytes: 4096))
    let count = 20_000
    let producer = TestThread {
      var generator = SeededGenerator(seed: seed)
      var writer = output.makeWriter()
      for index in 0..<count {
        writer.append("\(index)")
        if Int.random(in: 0..<3, using: &generator) == 0 { writer.publish() }
        if Int.random(in: 0..<1000, using: &generator) == 0 {
          // Lets the writer thread run out of entries and go to sleep.
          writer.publish()
          while output.usage.waiting.entries > 0 {}
        }
      }
      writer.finish()
    }
    _ = producer.join()
    let report = output.join(drainSeconds: 60)
    #expect(report.written.entries == count)
    #expect(report.undelivered == .zero)
    #expect(splitLines(sink.bytes.all.flatMap { $0 }) == (0..<count).map { "\($0)" })
  }
}

/// Takes everything and keeps it.
final class CollectingSink: Sink, Sendable {
  let name = "collected"
  let bytes = Collected<[UInt8]>()

  func write(_ batch: EntryBatch, at now: Moment) throws(SystemError) -> SinkProgress {
    bytes.append(Array(batch.bytes))
    return SinkProgress(byteCount: batch.byteCount)
  }
}
