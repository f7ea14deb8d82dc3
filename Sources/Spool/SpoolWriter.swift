import Glibc
import Platform
import Synchronization

/// The producer's end of a spool: lines are rendered straight into it.
///
/// For one thread. An entry is reserved, written and committed; a batch of entries is published:
///
///     guard case .room(let room) = writer.reserve(512) else { … it is the caller's to count … }
///     writer.commit(render(into: room))
///     …
///     writer.publish()
///
/// Reserving and committing cost no system call, no lock and no reference counting, except once per block.
/// Full blocks become visible at once, but the consumer isn't woken for each of them, so a producer that
/// waits for something must publish before. Dropping the writer finishes the spool.
@safe public struct SpoolWriter: ~Copyable, @unchecked Sendable {
  // Invariant: `tail ..< tail + room` and the bytes of a slot below `slot` are memory of `block` that
  // has not been published, and they do not overlap; `room` is negative when a slot is all that
  // is left. The block stays mapped as the consumer does not leave it before another is linked.

  /// Where the next entry starts.
  @usableFromInline package var tail: UnsafeMutableRawPointer
  /// The address of the next entry's slot, which is written below it.
  @usableFromInline package var slot: UnsafeMutableRawPointer
  /// How many bytes the next entry may have.
  @usableFromInline package var room: Int
  /// The address from which end offsets are counted.
  @usableFromInline package var origin: UnsafeMutableRawPointer
  /// The number of entries in the block.
  @usableFromInline package var count = 0

  private let spool: Spool
  private var block: SpoolBlock
  private var publishedCount = 0
  private var publishedEnd = 0
  /// How often entries were published since the consumer was last woken; each full block counts once.
  private var unannouncedCount = 0
  private var total = Tally.zero
  private var isFinished = false

  package init(_ spool: Spool) {
    let first = spool.first
    self.spool = spool
    block = first
    unsafe tail = unsafe first.entryBytes
    unsafe origin = unsafe first.entryBytes
    unsafe slot = unsafe first.slotsEnd
    room = first.byteCount - SpoolBlock.headerBytes - SpoolBlock.slotBytes
  }

  /// The result of reserving room.
  @frozen
  @safe public enum Reservation {
    /// Memory that is valid until the next call.
    case room(UnsafeMutableRawBufferPointer)
    /// No room: the limit is reached, the entry is larger than any may be, or the system has no memory.
    case full
    /// No room yet, and the waiting for it was interrupted or ended.
    case interrupted
  }

  /// Contiguous room for an entry of at least `minimumByteCount` bytes; often much more.
  ///
  /// A reservation that turns out too small is simply replaced by a larger one, and one that isn't committed
  /// is given up. Entries that find no room are for the caller to count.
  /// - Returns: If the spool blocks, `full` only for an entry that will never find room.
  @inlinable
  public mutating func reserve(_ minimumByteCount: Int) -> Reservation {
    if minimumByteCount <= room, room > 0 {
      return unsafe .room(UnsafeMutableRawBufferPointer(start: tail, count: room))
    }
    return reserveInNextBlock(minimumByteCount)
  }

  /// Whether there is room for an entry of this size without a new block.
  @inlinable
  public func hasRoom(_ byteCount: Int) -> Bool { byteCount <= room }

  /// How much room an entry takes besides its bytes.
  public static var entryOverhead: Int { SpoolBlock.slotBytes }

  /// Ends an entry of `byteCount` bytes that has been written to the start of the reservation.
  ///
  /// - Parameter mark: the entry's mark; not smaller than that of the entry before it.
  @inlinable
  public mutating func commit(_ byteCount: Int, _ mark: EntryMark = .start) {
    precondition(byteCount > 0 && byteCount <= room, "more than was reserved")
    unsafe tail += byteCount
    unsafe slot -= SpoolBlock.slotBytes
    // A block is smaller than 4 GiB, so the truncation never cuts anything.
    unsafe SpoolBlock.store(UInt32(truncatingIfNeeded: tail - origin), mark, at: slot)
    room -= byteCount + SpoolBlock.slotBytes
    count &+= 1
  }

  /// The sequence that the next entry will have.
  public var nextSequence: Int { block.firstSequence + count }

  /// How many full blocks may lie there until the consumer is woken for them.
  ///
  /// At 40,000 lines each second that is 24 wake-ups in place of 100. They are fewer than the unused blocks
  /// that keep their memory, and few of all blocks that there may be.
  private var unannouncedMax: Int { spool.memory.limitBytes >= 32 * spool.memory.slotBytes ? 3 : 1 }

  /// Publishes all committed entries, and wakes the consumer if it sleeps.
  public mutating func publish() {
    publishCommitted()
    if unannouncedCount > 0 { wakeConsumer() }
    if spool.isHandoverWanted.load(ordering: .relaxed) { handOver() }
  }

  /// Leaves the block for another one, so that its entries can go to disk; does nothing now if there is no
  /// memory.
  private mutating func handOver() {
    spool.isHandoverWanted.store(false, ordering: .relaxed)
    guard count > 0,
      case .granted(let next) = spool.takeBlock(
        atLeast: spool.memory.slotBytes, firstSequence: nextSequence)
    else { return }
    goOn(in: next)
    spool.wakeSpiller()
  }

  /// Publishes all committed entries, without leaving their block.
  private mutating func publishCommitted() {
    guard count != publishedCount else { return }
    let end = unsafe tail - origin
    total += Tally(entries: count - publishedCount, bytes: end - publishedEnd)
    publishedCount = count
    publishedEnd = end
    // The totals are stored first, so that no thread ever sees more entries taken than committed.
    spool.committed.store(total)
    block.publish(count: count)
    unannouncedCount += 1
  }

  private mutating func wakeConsumer() {
    unannouncedCount = 0
    spool.wakeConsumerIfAsleep()
  }

  /// Publishes, and announces that no more entries will come.
  public mutating func finish() {
    publish()
    guard !isFinished else { return }
    isFinished = true
    spool.finish()
  }

  deinit {
    // Entries committed but not published stay unseen; only an explicit `finish` delivers them.
    if !isFinished { spool.finish() }
  }

  @usableFromInline
  package mutating func reserveInNextBlock(_ minimumByteCount: Int) -> Reservation {
    let minimum = max(minimumByteCount, 1)
    // Full blocks are handed over without waiting for the rest: the consumer may start, and a batch larger than the
    // limit cannot wait for itself.
    publishCommitted()
    guard minimum <= SpoolBlock.entryBytesMax else { return .full }
    let next: SpoolBlock
    switch nextBlock(forEntryOf: minimum) {
    case .granted(let block): next = block
    case .full: return .full
    case .interrupted: return .interrupted
    }
    goOn(in: next)
    return unsafe .room(UnsafeMutableRawBufferPointer(start: tail, count: room))
  }

  /// Links another block to this one, all of whose entries are published, and continues in the new block.
  private mutating func goOn(in next: SpoolBlock) {
    block.link(to: next)
    if unannouncedCount >= unannouncedMax { wakeConsumer() }
    block = next
    unsafe tail = unsafe next.entryBytes
    unsafe origin = unsafe next.entryBytes
    unsafe slot = unsafe next.slotsEnd
    room = next.byteCount - SpoolBlock.headerBytes - SpoolBlock.slotBytes
    count = 0
    publishedCount = 0
    publishedEnd = 0
  }

  private enum Search {
    case granted(SpoolBlock), full, interrupted
  }

  private mutating func nextBlock(forEntryOf byteCount: Int) -> Search {
    let needed = byteCount + SpoolBlock.headerBytes + SpoolBlock.slotBytes
    let sequence = spool.newSequence + total.entries
    var hasAnnounced = false
    while true {
      switch spool.takeBlock(atLeast: needed, firstSequence: sequence) {
      case .granted(let block):
        spool.isProducerWaiting.store(false, ordering: .sequentiallyConsistent)
        return .granted(block)
      case .refused:
        wakeConsumer()
        return .full
      case .full:
        // Room comes from the consumer, which need not know yet of all published entries.
        wakeConsumer()
      }
      if spool.options.overflow == .drop { return .full }
      if spool.isWaitingOver.load(ordering: .sequentiallyConsistent) { return .interrupted }
      if hasAnnounced {
        guard sleepUntilWoken() else { return .interrupted }
      } else {
        // After announcing that it waits, the producer must check once more before it does.
        spool.isProducerWaiting.store(true, ordering: .sequentiallyConsistent)
      }
      hasAnnounced.toggle()
    }
  }

  /// Waits for the consumer to make room; false when the waiting was interrupted.
  private func sleepUntilWoken() -> Bool {
    guard let wake = spool.producerWake else { return false }
    var descriptors = [pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0)]
    if let interrupt = spool.options.interruptDescriptor {
      descriptors.append(pollfd(fd: interrupt, events: Int16(POLLIN), revents: 0))
    }
    SystemCalls.poll(&descriptors, nanoseconds: nil)
    wake.clear()
    return descriptors.count < 2 || descriptors[1].revents == 0
  }
}
