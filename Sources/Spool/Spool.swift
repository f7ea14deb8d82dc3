import Glibc
package import Platform
package import Synchronization

/// A queue of rendered entries between the reader thread and one writer thread.
///
/// ```
///  SpoolWriter ─▶ blocks in memory ─────────────────────────▶ SpoolReader
///                        └─▶ Spiller ─▶ frames on disk ─▶─┘
/// ```
///
/// One thread holds the `SpoolWriter`, another the `SpoolReader`; the producer shares only atomics and two
/// wake-up descriptors with other threads, and never waits unless it was asked to. Memory is taken block by
/// block as needed, and given back as the consumer moves on. If there is a disk, a separate thread moves the
/// oldest blocks there once memory gets short.
public final class Spool: Sendable {
  /// What happens to an entry that finds no room.
  public enum Overflow: Sendable {
    /// The newest entry is dropped.
    case drop
    /// The producer waits for room: only for sources that can wait.
    case block
  }

  /// The size of a spool, and what happens at its limit.
  public struct Options: Sendable {
    /// The most memory the spool may hold; at least two blocks.
    public var limitBytes: Int
    /// What happens at the limit.
    public var overflow: Overflow
    /// The size of an ordinary block; a larger entry gets a block of its own.
    public var blockBytes: Int
    /// A descriptor that ends the waiting of `.block` by becoming readable, such as a signalfd.
    public var interruptDescriptor: Int32?
    /// The disk for blocks when memory gets short; nil keeps all blocks in memory.
    public var disk: DiskOptions?

    /// 512 MiB in blocks of 256 KiB, dropping entries that find no room, unless told otherwise.
    public init(
      limitBytes: Int = 512 << 20, overflow: Overflow = .drop, blockBytes: Int = 256 << 10,
      interruptDescriptor: Int32? = nil, disk: DiskOptions? = nil
    ) {
      self.limitBytes = limitBytes
      self.overflow = overflow
      self.blockBytes = blockBytes
      self.interruptDescriptor = interruptDescriptor
      self.disk = disk
    }
  }

  package let options: Options
  package let system: SystemCalls
  package let memory: SpoolMemory
  /// The part of the spool on disk; nil if there is none.
  package let disk: SpoolDisk?
  package let queue: SpoolQueue
  /// The first block, which the producer begins with.
  package let first: SpoolBlock
  /// The tally of the entries found on disk at the beginning.
  package let inherited: Tally
  /// The sequence of the first entry to be delivered, and of the first new entry.
  public let startSequence: Int, newSequence: Int
  /// The mark behind those of all entries found on disk that belong to this run's checkpoint.
  public let inheritedEnd: EntryMark

  /// Wakes the consumer: there are entries or commands.
  package let consumerWake: WakeEvent
  /// Wakes a producer that waits for room; nil if the producer never waits.
  package let producerWake: WakeEvent?
  /// Wakes the thread that moves blocks to disk.
  package let spillerWake = WakeSignal()
  package let isConsumerAsleep = Atomic<Bool>(false)
  package let isProducerWaiting = Atomic<Bool>(false)
  package let isSpillingWanted = Atomic<Bool>(false)
  /// Whether the producer is to leave its block for another, so that the entries in it can go to disk.
  package let isHandoverWanted = Atomic<Bool>(false)
  package let isMemoryWanted = Atomic<Bool>(false)
  package let isFinished = Atomic<Bool>(false)
  /// Whether the disk had no room for the last block to be moved there, by the limit or because it is full.
  package let isDiskFull = Atomic<Bool>(false)
  package let isWaitingOver = Atomic<Bool>(false)

  package let committed = AtomicTally()
  package let taken = AtomicTally()
  /// Entries on disk that turned out to be damaged.
  package let damaged = AtomicTally()
  /// The tally of entries put away for the next run.
  package let kept = AtomicTally()
  /// The activity of the thread that moves blocks to disk.
  package let spillerActivity = SpillerActivity()
  private let spiller = ThreadEnd()
  private let hasSpiller = Atomic<Bool>(false)
  private let hasWriter = Atomic<Bool>(false)
  private let hasReader = Atomic<Bool>(false)

  /// Makes a spool that is empty, but for what an earlier run has left on disk.
  /// - Throws: `SpoolError` when the first block or a descriptor cannot be had, or the disk can't be used.
  public convenience init(_ options: Options = Options()) throws(SpoolError) {
    try self.init(options, system: .real)
  }

  package init(_ options: Options, system: SystemCalls) throws(SpoolError) {
    self.options = options
    self.system = system
    do {
      consumerWake = try WakeEvent(system)
      producerWake = options.overflow == .block ? try WakeEvent(system) : nil
    } catch {
      throw SpoolError(operation: "descriptor to wake a thread", errno: error)
    }
    let heritage: SpoolDisk.Heritage
    do {
      disk = try options.disk.map { disk throws(SystemError) in try SpoolDisk(disk, system: system) }
      heritage = try disk?.inherit() ?? SpoolDisk.Heritage()
    } catch {
      throw SpoolError(error)
    }
    // Of the blocks, producer and consumer hold one each, and the spiller may hold another.
    let leastBytes = disk == nil ? 0 : 4 * options.blockBytes
    memory = try SpoolMemory(
      limitBytes: max(options.limitBytes, leastBytes), slotBytes: options.blockBytes, system: system)
    let request = memory.take(
      atLeast: memory.slotBytes, firstSequence: heritage.endSequence, mayExceed: false)
    guard case .granted(let block) = request else {
      var reason = Errno.noMemory
      if case .refused(let error) = request { reason = error }
      let hint = reason.code == EFBIG ? " (memory that threads share counts as a file for 'ulimit -f')" : ""
      throw SpoolError(operation: "memory for the first block\(hint)", errno: reason)
    }
    first = block
    // No other copy of the frames may remain: a reference to a frame keeps its room on the disk.
    queue = SpoolQueue(
      first: block, frames: heritage.frames, holdsTaken: options.disk?.keepsUp ?? false,
      storedThrough: heritage.endSequence)
    inherited = heritage.tally
    startSequence = heritage.delivered
    newSequence = heritage.endSequence
    inheritedEnd = heritage.endMark
    guard let disk = options.disk else { return }
    let (count, missing) = (inherited.entries, heritage.missingEntries)
    if count > 0 {
      let verb = count == 1 ? "goes" : "go"
      disk.warn("\(disk.directory): \(disk.content.counted(count)) of an earlier run \(verb) first")
    }
    if missing > 0 {
      let verb = missing == 1 ? "is" : "are"
      disk.warn("\(disk.directory): \(disk.content.counted(missing)) of an earlier run \(verb) lost")
    }
    let cut = heritage.cutEntries
    if cut > 0 {
      let verb = cut == 1 ? "is" : "are"
      disk.warn(
        "\(disk.directory): \(disk.content.counted(cut)) of an earlier run \(verb) missing at the end; what the log still has of them comes again"
      )
    }
  }

  /// The producer's end; there is one.
  public func makeWriter() -> SpoolWriter {
    precondition(!hasWriter.exchange(true, ordering: .relaxed), "a spool has one writer")
    return SpoolWriter(self)
  }

  /// The consumer's end; there is one.
  public func makeReader() -> SpoolReader {
    precondition(!hasReader.exchange(true, ordering: .relaxed), "a spool has one reader")
    return SpoolReader(self)
  }

  /// The sequence in front of which all unsettled entries are on disk, if the disk keeps up; for any thread.
  ///
  /// These entries outlive a kill. The value never decreases.
  public var storedThrough: Int { queue.storedThrough.load(ordering: .acquiring) }

  /// The spool's counters, readable from any thread.
  public var usage: SpoolUsage {
    // `taken` is read first: it never exceeds the entries that had been committed by then.
    let taken = taken.value
    return SpoolUsage(
      inherited: inherited, committed: committed.value, taken: taken,
      kept: kept.value, damaged: damaged.value, memoryBytes: memory.usage.bytes,
      memoryBytesMax: memory.usage.bytesMax, diskBytes: disk?.byteCount ?? 0)
  }
}

// MARK: - Waking

extension Spool {
  // Before it sleeps, either side announces that and then checks once more; after it has changed something,
  // the other side checks whether the first one sleeps. All four steps are sequentially consistent, so at
  // least one of the two sees the other's step, and no wake-up is lost.

  /// Wakes the consumer if it sleeps; costs one load if it does not.
  package func wakeConsumerIfAsleep() {
    guard isConsumerAsleep.load(ordering: .sequentiallyConsistent) else { return }
    if isConsumerAsleep.exchange(false, ordering: .sequentiallyConsistent) {
      consumerWake.signal()
    }
  }

  /// Wakes a producer that waits for any reason: it checks by itself whether it can go on.
  package func wakeProducerIfWaiting() {
    guard isProducerWaiting.load(ordering: .sequentiallyConsistent) else { return }
    if isProducerWaiting.exchange(false, ordering: .sequentiallyConsistent) {
      producerWake?.signal()
    }
  }

  /// Ends any waiting for room, now and later.
  package func endWaiting() {
    isWaitingOver.store(true, ordering: .sequentiallyConsistent)
    wakeProducerIfWaiting()
  }

  /// Says that no more entries will come.
  package func finish() {
    isFinished.store(true, ordering: .sequentiallyConsistent)
    consumerWake.signal()
  }
}

// MARK: - The thread that moves blocks to disk

extension Spool {
  /// Starts the spiller, if there is a disk; called once the checkpoint has the sequences of this run.
  ///
  /// - Parameter driver: runs the loop in place of a thread; nil starts a thread.
  package func startSpiller(_ driver: (any LoopDriver)? = nil) throws(Errno) {
    guard let disk else { return }
    disk.noteLineage()
    if let driver { return driver.take(disk.options.directory, Spiller(self, spiller)) }
    pthread_detach(try WorkerThread.start(Spiller(self, spiller)))
    hasSpiller.store(true, ordering: .relaxed)
  }

  /// Stops the spiller.
  ///
  /// - Returns: false if it hangs with its disk.
  package func stopSpiller() -> Bool {
    spiller.request()
    guard hasSpiller.load(ordering: .relaxed) else { return true }
    spillerWake.signal()
    return spiller.wait(nanoseconds: Self.spillerStopNanoseconds)
  }

  /// Whether the consumer hasn't yet taken all of the first `publishedCount` entries that were published.
  package func leavesWaiting(_ publishedCount: Int) -> Bool {
    // `taken` is read first: it never exceeds the entries that had been published by then.
    taken.value.entries + damaged.value.entries < inherited.entries + publishedCount
  }

  /// Whether the spiller was woken and hasn't gone back to sleep.
  package var isSpillerBusy: Bool {
    hasSpiller.load(ordering: .relaxed) && !spiller.isAnnounced
      && (isSpillingWanted.load(ordering: .sequentiallyConsistent)
        || spillerActivity.isAtWork.load(ordering: .sequentiallyConsistent))
  }

  private static var spillerStopNanoseconds: Int64 { 2_000_000_000 }
}

// MARK: - Blocks

extension Spool {
  /// A block for the producer.
  package func takeBlock(atLeast byteCount: Int, firstSequence: Int) -> SpoolMemory.Request {
    // An entry larger than the limit would wait for room forever. It may exceed the limit when no other entry
    // is waiting.
    let mayExceed = options.overflow == .block && usage.waiting.entries == 0
    let request = memory.take(atLeast: byteCount, firstSequence: firstSequence, mayExceed: mayExceed)
    if memory.isShort, !isMemoryWanted.exchange(true, ordering: .sequentiallyConsistent) {
      consumerWake.signal()
    }
    if disk != nil, memory.usedBytes >= memory.watermarks.high { wakeSpiller() }
    return request
  }

  /// Wakes the spiller, which then looks for blocks to move.
  package func wakeSpiller() {
    if !isSpillingWanted.exchange(true, ordering: .sequentiallyConsistent) { spillerWake.signal() }
  }

  /// Counts entries that came back damaged from the disk, and reports them.
  package func noteDamage(_ stored: SpoolDisk.StoredFrame) {
    damaged.add(stored.rest)
    if let disk = options.disk {
      let (what, verb) = (disk.content.counted(stored.rest.entries), stored.rest.entries == 1 ? "is" : "are")
      disk.warn("\(stored.file.path): \(what) at byte \(stored.offset) \(verb) damaged, and lost")
    }
    wakeProducerIfWaiting()
  }

  /// Prepares memory if the producer is running short of it; called by the consumer whenever it has woken.
  package func prepareMemory() {
    guard isMemoryWanted.load(ordering: .relaxed) else { return }
    isMemoryWanted.store(false, ordering: .sequentiallyConsistent)
    memory.prepare()
  }

  /// Takes back a block that no thread uses any more.
  package func giveBack(_ block: SpoolBlock) {
    memory.giveBack(block)
    wakeProducerIfWaiting()
  }
}
