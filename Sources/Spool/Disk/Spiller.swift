import Glibc
import Platform
import Synchronization

/// Moves the oldest blocks of a spool from memory to disk once memory gets short, on a thread of its own.
///
/// Where the disk keeps up, entries that have waited for a second go there, too: blocks in memory are moved,
/// and blocks that the consumer has, or has taken and not settled, are copied.
///
/// If the disk hangs, this thread does as well; producer and consumer notice nothing but that memory fills
/// up.
struct Spiller: SteppedLoop, ~Copyable {
  private let spool: Spool
  private let end: ThreadEnd
  /// The trouble with the disk, by error number: the file may be another one each time.
  private var trouble = Trouble<Int32>()
  private var rests = Backoff(nanoseconds: Self.restNanosecondsMin...Self.restNanosecondsMax)
  private var lag = SpoolLag()

  private static let restNanosecondsMin: Int64 = 100_000_000
  private static let restNanosecondsMax: Int64 = 5_000_000_000

  init(_ spool: Spool, _ end: ThreadEnd) {
    self.spool = spool
    self.end = end
  }

  /// Returns when told to stop.
  mutating func run() {
    let activity = spool.spillerActivity
    activity.threadClock.withLock { $0 = .ofCallingThread }
    while case .sleep(let nanoseconds) = step() {
      spool.spillerWake.wait(nanoseconds: nanoseconds)
      activity.isOutside.store(false, ordering: .relaxed)
    }
  }

  /// Moves blocks until memory isn't short any more.
  mutating func step() -> LoopPause {
    guard !end.isRequested else {
      end.announce()
      return .over
    }
    let activity = spool.spillerActivity
    activity.isAtWork.store(true, ordering: .sequentiallyConsistent)
    activity.done.add(1, ordering: .relaxed)
    // Cleared before the state is read: a producer that changes the state afterwards wakes this thread again.
    spool.isSpillingWanted.store(false, ordering: .sequentiallyConsistent)
    var wait: Int64?
    do throws(SystemError) {
      while !end.isRequested, spool.memory.usedBytes > spool.memory.watermarks.low, try spillOne() {}
      try keepUp()
    } catch {
      wait = rest(after: error)
      // The producer need not wake this thread before it has rested.
      spool.isSpillingWanted.store(true, ordering: .sequentiallyConsistent)
    }
    activity.isOutside.store(wait != nil, ordering: .relaxed)
    activity.isAtWork.store(false, ordering: .sequentiallyConsistent)
    return .sleep(nanoseconds: wait ?? waitToKeepUp)
  }

  /// Moves one block, or copies one that was taken and isn't settled.
  ///
  /// - Returns: false if there is none that could be moved.
  /// - Throws: `SystemError` if the disk doesn't take the block, which stays in memory.
  package mutating func spillOne() throws(SystemError) -> Bool {
    guard let block = spool.queue.claimForSpilling() ?? spool.queue.claimForCopying(orIsReading: false)
    else { return false }
    try store(block)
    return true
  }

  /// Stores entries that have waited for long, if there are any and the disk keeps up.
  private mutating func keepUp() throws(SystemError) {
    guard spool.options.disk?.keepsUp == true else { return }
    lag.look(at: SystemClock.steadyNanoseconds, publishedCount: spool.committed.value.entries)
    guard spool.leavesWaiting(lag.oldCount) else { return }
    try storeWaiting(before: spool.newSequence + lag.oldCount)
  }

  private var waitToKeepUp: Int64? {
    spool.options.disk?.keepsUp == true ? lag.wait(at: SystemClock.steadyNanoseconds) : nil
  }

  /// Stores all blocks with entries in front of a sequence, including those that the consumer has taken and
  /// not settled, and the producer's own block once the producer has left it.
  package mutating func storeWaiting(before sequence: Int) throws(SystemError) {
    while !end.isRequested,
      let block = spool.queue.claimForCopying(orIsReading: true)
        ?? spool.queue.claimForSpilling(before: sequence)
    { try store(block) }
    if spool.queue.isProducerKeeping(before: sequence) {
      spool.isHandoverWanted.store(true, ordering: .relaxed)
    }
  }

  /// Puts a claimed block on disk.
  private mutating func store(_ block: SpoolBlock) throws(SystemError) {
    guard let disk = spool.disk, block.publishedCount() > 0 else { return endSpilling(.empty) }
    let stored: SpoolDisk.StoredFrame
    do throws(SystemError) {
      spool.spillerActivity.isOutside.store(true, ordering: .relaxed)
      defer { spool.spillerActivity.isOutside.store(false, ordering: .relaxed) }
      stored = try disk.append(block)
    } catch {
      endSpilling(.failed)
      throw error
    }
    endSpilling(.stored(stored))
    FaultPoint.spoolMemoryFreed.pass()
    spool.spillerActivity.done.add(1, ordering: .relaxed)
    endTrouble()
  }

  private func endSpilling(_ result: SpoolQueue.SpillingResult) {
    let (free, unneeded) = spool.queue.endSpilling(result)
    if let free { spool.giveBack(free) }
    if let unneeded { spool.disk?.release(unneeded) }
  }

  private mutating func rest(after error: SystemError) -> Int64 {
    spool.isDiskFull.store(error.code == EDQUOT || error.code == ENOSPC, ordering: .relaxed)
    if trouble.begin(error.code), let disk = spool.options.disk {
      disk.warn("\(error); \(disk.content.nouns.plural) stay in memory, and it is tried again until it works")
    }
    // Checking our own limit costs nothing, and there may be room at any moment.
    if error.code == EDQUOT { return Self.restNanosecondsMin }
    return rests.next()
  }

  private mutating func endTrouble() {
    rests.reset()
    guard trouble.end() != nil else { return }
    spool.isDiskFull.store(false, ordering: .relaxed)
    if let disk = spool.options.disk {
      disk.warn("\(disk.directory): takes \(disk.content.nouns.plural) again")
    }
  }
}
