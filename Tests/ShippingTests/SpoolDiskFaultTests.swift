import Glibc
import Platform
@testable import Shipping
@testable import Spool
import Testing

/// Runs a scenario again and again, with the 1st, 2nd, 3rd … call of a kind failing, until it passes without
/// a fault: every entry comes once and whole, or is counted as lost, and what was reported as kept comes in
/// the next run.
@Suite struct SpoolDiskFaultTests {
  /// Runs of a spool in one directory, compared with a queue.
  private struct Runs {
    let directory = TemporaryDirectory(isInMemory: true)
    var model = SpoolModel()
    var hasFailedToNote = false, hasFailedToKeep = false

    mutating func open(_ system: SystemCalls = .real) throws -> LiveSpool {
      let live = try LiveSpool(memoryBlocks: 10, diskBytes: 1 << 20, in: directory.path, system)
      model.begin(newSequence: live.spool.newSequence) { _ in true }
      return live
    }

    mutating func append(_ count: Int, to live: LiveSpool) {
      for _ in 0..<count {
        let entry = model.makeEntry(size: 150)
        if live.append(entry.bytes) { model.commit(entry) }
      }
      live.writer.publish()
      model.publish(upTo: model.committedCount)
    }

    func spill(_ count: Int, of live: LiveSpool) { for _ in 0..<count { _ = try? live.spiller.spillOne() } }

    /// Takes this many batches; a read that fails is tried again.
    mutating func take(_ count: Int, of live: LiveSpool) throws {
      for _ in 0..<count {
        guard let bytes = try offered(by: live)?.prefix(3000) else { return }
        _ = try model.take(bytes)
        live.reader.take(bytes.count)
        do { try live.reader.noteDelivered() } catch { hasFailedToNote = true }
      }
    }

    private func offered(by live: LiveSpool) throws -> UnsafeRawBufferPointer? {
      do { return try live.reader.next()?.bytes } catch {}
      return try live.reader.next()?.bytes
    }

    mutating func end(_ live: LiveSpool) {
      live.writer.finish()
      do { try live.reader.keepRest() } catch { hasFailedToKeep = true }
    }
  }

  /// - Returns: whether the call that was to fail was made at all.
  private func run(_ call: SystemCalls.Call, _ code: Int32, at target: Int) throws -> Bool {
    var runs = Runs()
    let left = try runEarlier(&runs)
    let faults = FaultPlan { made, count in made == call && count == target ? .fail(code) : nil }
    var kept = left
    do {
      kept = try runWithFaults(&runs, faults.system)
    } catch is SpoolError {
      // The run could not begin, so what was there must still be there.
    }
    try runLater(&runs, kept)
    return faults.count(of: call) >= target
  }

  /// Leaves entries in the directory, of which a part was delivered.
  private func runEarlier(_ runs: inout Runs) throws -> Tally {
    let live = try runs.open()
    runs.append(60, to: live)
    runs.spill(1, of: live)
    try runs.take(1, of: live)
    runs.end(live)
    return live.spool.usage.kept
  }

  private func runWithFaults(_ runs: inout Runs, _ system: SystemCalls) throws -> Tally {
    let live = try runs.open(system)
    runs.append(150, to: live)
    runs.spill(4, of: live)
    try runs.take(5, of: live)
    runs.append(100, to: live)
    runs.spill(3, of: live)
    try runs.take(6, of: live)
    runs.append(100, to: live)
    runs.spill(2, of: live)
    try runs.take(1, of: live)
    runs.end(live)
    let usage = live.spool.usage
    let undelivered = usage.waiting - usage.kept
    #expect(usage.committed.entries == runs.model.committedCount)
    #expect(usage.damaged == .zero)
    #expect(undelivered == .zero || (undelivered.entries > 0 && runs.hasFailedToKeep))
    return usage.kept
  }

  private func runLater(_ runs: inout Runs, _ kept: Tally) throws {
    if runs.hasFailedToKeep { runs.model.doubt { _ in true } }
    if runs.hasFailedToNote || runs.hasFailedToKeep { runs.model.loseCursor { _ in true } }
    let live = try runs.open()
    let inherited = live.spool.usage.inherited
    #expect(runs.hasFailedToKeep ? inherited.entries >= kept.entries : inherited == kept)
    try runs.take(1000, of: live)
    try runs.model.runDry()
    #expect(live.spool.usage.waiting == .zero)
    #expect(live.spool.usage.taken == inherited)
  }

  @Test(
    arguments: [
      SystemCalls.Call.open, .write, .read, .fsync, .unlink, .mkdir, .flock, .fstat, .ftruncate, .opendir,
      .mmap,
      .close,
    ], [ENOSPC, EIO, EACCES, EROFS])
  func whateverFailsNothingIsLostThatIsNotCounted(call: SystemCalls.Call, code: Int32) throws {
    var target = 1
    do {
      while try run(call, code, at: target) {
        target += 1
        try #require(target < 500, "the scenario never passes")
      }
    } catch let failure as ModelFailure {
      Issue.record("\(call.rawValue) \(target) failing with \(Errno(code)): \(failure)")
    }
    #expect(target > 1 || call == .ftruncate, "\(call.rawValue) is not called")
  }
}
