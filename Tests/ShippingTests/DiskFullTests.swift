import Glibc
@testable import Platform
@testable import Shipping
@testable import Spool
import Synchronization
import Testing

/// A spool reports a full disk only if writing has failed for lack of room.
@Suite struct DiskFullTests {
  private let directory = TemporaryDirectory()

  private func spool(diskBytes: Int, _ system: SystemCalls = .real) throws -> Spool {
    let disk = Spool.DiskOptions(directory: directory.file("spool"), limitBytes: diskBytes)
    return try Spool(Spool.Options(limitBytes: 64 << 10, blockBytes: 4096, disk: disk), system: system)
  }

  /// Writes lines again and again until a condition holds.
  private func fill(_ spool: Spool, until isEnough: () -> Bool) throws -> Bool {
    var writer = spool.makeWriter()
    defer { _ = spool.stopSpiller() }
    try spool.startSpiller()
    return eventually {
      for _ in 0..<100 { writer.append(String(repeating: "x", count: 100)) }
      writer.publish()
      return isEnough()
    }
  }

  @Test func `a directory that holds as much as it may is full`() throws {
    let spool = try spool(diskBytes: 100 << 10)
    #expect(try fill(spool) { spool.isDiskFull.load(ordering: .relaxed) })
  }

  @Test func `so is a disk without room`() throws {
    let faults = FaultPlan { call, count in call == .write && count > 20 ? .fail(ENOSPC) : nil }
    let spool = try spool(diskBytes: 1 << 30, faults.system)
    #expect(try fill(spool) { spool.isDiskFull.load(ordering: .relaxed) })
  }

  @Test func `a disk that fails isn't full, and neither is one that is never asked`() throws {
    let faults = FaultPlan { call, count in call == .write && count > 20 ? .fail(EIO) : nil }
    let spool = try spool(diskBytes: 1 << 30, faults.system)
    // Several attempts, so that the first has certainly failed.
    #expect(try fill(spool) { faults.count(of: .write) > 23 })
    let isFull = spool.isDiskFull.load(ordering: .relaxed)
    #expect(!isFull)
  }

  @Test func `a disk that takes entries again isn't full any more`() throws {
    let isFull = Guarded(true)
    let faults = FaultPlan { call, count in
      call == .write && count > 20 && isFull.withLock { $0 } ? .fail(ENOSPC) : nil
    }
    let spool = try spool(diskBytes: 1 << 30, faults.system)
    let became = Guarded(false)
    #expect(
      try fill(spool) {
        let now = spool.isDiskFull.load(ordering: .relaxed)
        if now {
          became.withLock { $0 = true }
          isFull.withLock { $0 = false }
        }
        return became.withLock { $0 } && !now
      })
  }
}
