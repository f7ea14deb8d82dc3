@testable import Spool
import Platform
import Glibc
@testable import Shipping

/// Plays a scenario on a spool, and compares it with the model after every step.
///
/// Everything happens on one thread. The actions of other threads, and kills, happen at system calls.
final class SpoolScenarioRun {
  private let scenario: SpoolScenario
  private let hook = CallHook()
  private var model = SpoolModel()
  private var directory = SpoolDirectory()
  private var live: LiveSpool
  /// Damage to be done to the files before the next run.
  private var damages: [SpoolScenario.Damage] = []
  /// Whether files were damaged at any time, and in this run, in which case not all numbers are exact.
  private var isDamaged = false, isDamagedNow = false
  /// How many entries runs may report as lost.
  private var vanishedCount = 0
  /// Whether the note of the delivered entries was damaged in this run.
  private var isCursorDamaged = false

  private init(_ scenario: SpoolScenario) throws {
    self.scenario = scenario
    live = try LiveSpool(
      memoryBlocks: scenario.memoryBlocks, diskBytes: scenario.diskBytes, in: directory.path, hook.system)
  }

  /// - Throws: `ModelFailure` at the first difference from the model.
  static func run(_ scenario: SpoolScenario) throws {
    let run = try SpoolScenarioRun(scenario)
    for (index, step) in scenario.steps.enumerated() {
      do {
        try run.perform(step)
        try run.checkNumbers()
      } catch {
        throw ModelFailure("step \(index), \(step): \(error)")
      }
    }
    try run.drain()
  }

  private func perform(_ step: SpoolScenario.Step) throws {
    switch step {
    case .append(let count, let size): append(count, size)
    case .publish: publish()
    case .take(let bytes, let notes): _ = try take(bytes, notes: notes)
    case .spill(let count): for _ in 0..<count where try !spill() { return }
    case .spillWhileTaking(let count, let call): try spill(takingMeanwhile: count, from: call)
    case .end: try end()
    case .kill: try kill()
    case .killInSpill(let call): try kill(atCall: call) { _ = try self.spill() }
    case .killInTake(let call): try kill(atCall: call) { _ = try self.take(3000, notes: true) }
    case .killInEnd(let call): try kill(atCall: call) { _ = try self.finish() }
    case .damage(let damage, isNow: true): try apply(damage, isNow: true)
    case .damage(let damage, isNow: false): damages.append(damage)
    }
  }

  // MARK: Producing and consuming

  private func append(_ count: Int, _ size: Int) {
    for index in 0..<count {
      let entry = model.makeEntry(size: 1 + (size + index * 13) % size)
      if live.append(entry.bytes) { model.commit(entry) }
      // Full blocks are published when the producer leaves them.
      model.publish(upTo: live.spool.usage.committed.entries)
    }
  }

  private func publish() {
    live.writer.publish()
    model.publish(upTo: model.committedCount)
  }

  /// - Returns: false if there was nothing to take.
  private func take(_ byteCount: Int, notes: Bool) throws -> Bool {
    guard let batch = try live.reader.next() else {
      try model.runDry()
      let waiting = live.spool.usage.waiting
      guard waiting.entries == 0, isDamaged || waiting == .zero else {
        throw ModelFailure("\(waiting) wait when nothing comes")
      }
      return false
    }
    let bytes = batch.bytes.prefix(byteCount)
    let expected = try model.take(bytes)
    let taken = live.reader.take(bytes.count)
    guard taken == expected else { throw ModelFailure("took \(taken) instead of \(expected)") }
    if notes {
      try live.reader.noteDelivered()
      model.note()
    }
    return true
  }

  private func drain() throws {
    publish()
    while try take(.max, notes: true) {}
    try checkNumbers()
    let diskBytes = live.spool.usage.diskBytes
    guard diskBytes == 0 else { throw ModelFailure("\(diskBytes) bytes on disk when nothing waits") }
    guard isDamaged || directory.openRemovedFileCount == 0 else {
      throw ModelFailure("removed files take up the disk")
    }
  }

  /// - Returns: false if nothing could be moved to disk.
  private func spill() throws -> Bool {
    do {
      guard try live.spiller.spillOne() else { return false }
    } catch {
      guard error.code == EDQUOT, live.spool.usage.diskBytes + 20_000 > scenario.diskBytes else {
        throw error
      }
      return false
    }
    directory.learn(live.spool.queue.frames)
    return true
  }

  private func spill(takingMeanwhile count: Int, from call: Int) throws {
    var failure: (any Error)?
    hook.arm(at: call) {
      do {
        for _ in 0..<count { _ = try self.take(2500, notes: true) }
        // If memory was freed too early, this overwrites it.
        self.append(8, 400)
      } catch {
        failure = error
      }
    }
    defer { hook.disarm() }
    _ = try spill()
    if let failure { throw failure }
  }

  private func checkNumbers() throws {
    let usage = live.spool.usage
    guard usage.committed.entries == model.committedCount - model.unpublished.count else {
      throw ModelFailure("committed \(usage.committed.entries), not \(model.committedCount)")
    }
    guard isDamaged || usage.damaged == .zero else { throw ModelFailure("damaged: \(usage.damaged)") }
    guard isDamaged || 0...scenario.diskBytes ~= usage.diskBytes else {
      throw ModelFailure("\(usage.diskBytes) bytes on disk")
    }
    guard isDamaged || usage.diskBytes == directory.byteCount else {
      throw ModelFailure("\(directory.byteCount) bytes on disk, not \(usage.diskBytes)")
    }
    guard usage.memoryBytes <= live.spool.memory.limitBytes else {
      throw ModelFailure("\(usage.memoryBytes) bytes of memory")
    }
  }
}

// MARK: - Ending and beginning again

extension SpoolScenarioRun {
  /// Ends the run; entries that weren't taken are kept.
  ///
  /// - Returns: whether there was room for all of them.
  private func finish() throws -> Bool {
    live.writer.finish()
    model.publish(upTo: model.committedCount)
    do {
      try live.reader.keepRest()
    } catch {
      guard error.code == EDQUOT else { throw error }
      return false
    }
    let kept = live.spool.usage.kept
    guard model.expectedCounts.contains(kept.entries) else {
      throw ModelFailure("kept \(kept.entries) of \(model.expectedCounts)")
    }
    model.note()
    return true
  }

  private func end() throws {
    let hasRoom = try finish()
    directory.learnAll()
    if !hasRoom { model.endWithoutRoom(isOnDisk: directory.isOnDisk) }
    let kept = live.spool.usage.kept
    let wasExact = !isDamagedNow && damages.isEmpty
    try beginAgain()
    guard !wasExact || live.spool.usage.inherited == kept else {
      throw ModelFailure("kept \(kept), inherited \(live.spool.usage.inherited)")
    }
    guard !wasExact || isDamaged || live.lostCount == 0 || !hasRoom else {
      throw ModelFailure("lost \(live.lostCount)")
    }
  }

  /// Kills the process: only the files remain.
  private func kill() throws {
    directory.learnAll()
    model.crash(isOnDisk: directory.isOnDisk)
    try beginAgain()
  }

  /// Performs an action, in the middle of which the process is killed.
  private func kill(atCall call: Int, _ action: () throws -> Void) throws {
    var left: (SpoolModel, SpoolDirectory)?
    hook.arm(at: call) { left = (self.model, self.directory.copy()) }
    defer { hook.disarm() }
    try action()
    hook.disarm()
    if let left { (model, directory) = left }
    try kill()
  }

  private func beginAgain() throws {
    // A directory of its own, so that later effects of the old objects don't count.
    directory = directory.copy()
    if isCursorDamaged { model.loseCursor(isOnDisk: directory.isOnDisk) }
    (isCursorDamaged, isDamagedNow) = (false, false)
    for damage in damages { try apply(damage, isNow: false) }
    damages = []
    live = try LiveSpool(
      memoryBlocks: scenario.memoryBlocks, diskBytes: scenario.diskBytes, in: directory.path, hook.system)
    // A damaged file may seem to hold more entries than it does, until it is read.
    let inherited = live.spool.usage.inherited
    let counts = model.expectedCounts
    guard counts.contains(inherited.entries) || isDamaged && inherited.entries > counts.upperBound else {
      throw ModelFailure("inherited \(inherited.entries) of \(model.expectedCounts)")
    }
    directory.forget()
    directory.learn(live.spool.queue.frames)
    // A killed run's reports of losses are repeated by the next run.
    vanishedCount += model.expected.count { !directory.isOnDisk($0.sequence) }
    guard isDamaged || live.lostCount <= vanishedCount else {
      throw ModelFailure("\(live.lostCount) said to be lost of \(vanishedCount)")
    }
    model.begin(newSequence: live.spool.newSequence, isOnDisk: directory.isOnDisk)
  }

  private func apply(_ damage: SpoolScenario.Damage, isNow: Bool) throws {
    isDamaged = true
    if isNow { isDamagedNow = true }
    directory.learnAll()
    let isDoubtful = directory.apply(damage, whileOpen: isNow)
    model.doubt(isDoubtful)
    switch damage {
    case .flipCursor, .removeCursor, .removeDirectory:
      if isNow { isCursorDamaged = true } else { model.loseCursor(isOnDisk: directory.isOnDisk) }
    default: break
    }
  }
}
