import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// A producer, a consumer and the thread that moves blocks to disk, at full speed and with little memory: every
/// entry once, whole, in order, or counted as dropped.
@Suite struct SpoolThreadTests {
  private struct Outcome {
    var identifiers: [Int] = []
    var usage: SpoolUsage
    var warnings: [String]
    var diskBytesMax = 0
  }

  private static let count = 30_000

  private func run(
    seed: UInt64, _ overflow: Spool.Overflow, diskBytes: Int, _ system: SystemCalls = .real
  ) throws -> Outcome {
    let refused = Collected<Int>()
    let directory = TemporaryDirectory(isInMemory: true)
    let warnings = Collected<String>()
    let disk = Spool.DiskOptions(directory: directory.path, limitBytes: diskBytes) { warnings.append($0) }
    let spool = try Spool(
      Spool.Options(limitBytes: 64 << 10, overflow: overflow, blockBytes: 4096, disk: disk), system: system)
    try spool.startSpiller()
    let producer = TestThread {
      var generator = SeededGenerator(seed: seed)
      var writer = spool.makeWriter()
      for identifier in 0..<SpoolThreadTests.count {
        let isLarge = Int.random(in: 0..<500, using: &generator) == 0
        let size = Int.random(in: 20...(isLarge ? 15_000 : 200), using: &generator)
        let entry = ModelEntry(identifier: identifier, size: size)
        if case .room(let room) = writer.reserve(entry.size) {
          room.copyBytes(from: entry.bytes)
          writer.commit(entry.size)
        } else {
          refused.append(identifier)
        }
        if Int.random(in: 0..<50, using: &generator) == 0 { writer.publish() }
      }
      writer.finish()
    }
    var outcome = Outcome(usage: spool.usage, warnings: [])
    var reader = spool.makeReader()
    var generator = SeededGenerator(seed: seed &+ 1000)
    var begun: [UInt8] = []
    while true {
      outcome.diskBytesMax = max(outcome.diskBytesMax, spool.usage.diskBytes)
      if Int.random(in: 0..<200, using: &generator) == 0 { stall(spool) }
      let isFinished = reader.isFinished
      var offered: UnsafeRawBufferPointer?
      do { offered = try reader.next()?.bytes } catch { continue }
      guard let offered else {
        if isFinished { break }
        continue
      }
      let bytes = offered.prefix(Int.random(in: 1...offered.count, using: &generator))
      begun += bytes
      reader.take(bytes.count)
      try? reader.noteDelivered()
      while let end = begun.firstIndex(of: ModelEntry.terminator) {
        let entry = try #require(ModelEntry(Array(begun[...end])), "seed \(seed): torn")
        outcome.identifiers.append(entry.identifier)
        begun.removeFirst(end + 1)
      }
    }
    _ = producer.join()
    #expect(spool.stopSpiller())
    outcome.usage = spool.usage
    outcome.warnings = warnings.all
    #expect(begun.isEmpty)
    #expect(outcome.usage.waiting == .zero)
    #expect(outcome.identifiers.count + refused.all.count == Self.count)
    #expect(zip(outcome.identifiers, outcome.identifiers.dropFirst()).allSatisfy { $0 < $1 })
    #expect(outcome.usage.diskBytes == 0)
    return outcome
  }

  /// Takes nothing until there is much on disk, or until no more entries come.
  private func stall(_ spool: Spool) {
    let start = spool.usage.committed
    let deadline = Moment.now().steadyNanoseconds + 20_000_000
    while spool.usage.committed.bytes < start.bytes + 300_000, Moment.now().steadyNanoseconds < deadline {
      sched_yield()
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func waitingForRoomNothingIsLost(seed: UInt64) throws {
    let outcome = try run(seed: seed, .block, diskBytes: seed == 1 ? 256 << 10 : 1 << 30)
    #expect(outcome.identifiers.count == Self.count)
    #expect(outcome.diskBytesMax > 0)
  }

  @Test(arguments: [11, 12] as [UInt64])
  func whatFindsNoRoomIsCounted(seed: UInt64) throws {
    let outcome = try run(seed: seed, .drop, diskBytes: 256 << 10)
    #expect(outcome.usage.taken.entries == outcome.identifiers.count)
    #expect(outcome.diskBytesMax > 0)
  }

  @Test(arguments: [21, 22] as [UInt64])
  func aDiskThatFailsNowAndThenCostsNothing(seed: UInt64) throws {
    let faults = FaultPlan { call, count in
      switch call {
      case .write where count % 97 == 0: .fail(ENOSPC)
      case .write where count % 13 == 0: .short(100)
      case .read where count % 31 == 0: .fail(EIO)
      case .open where count % 5 == 0: .fail(EACCES)
      case .unlink where count % 7 == 0: .fail(EINTR)
      default: nil
      }
    }
    let outcome = try run(seed: seed, .block, diskBytes: 1 << 30, faults.system)
    #expect(outcome.identifiers.count == Self.count)
    #expect(outcome.usage.damaged == .zero)
  }
}
