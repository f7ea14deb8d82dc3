import Synchronization

/// A queue of rendered records between the reader thread and one writer thread.
///
/// One thread holds the `SpoolWriter`, one the `SpoolReader`; they share nothing but atomics and
/// two pipes to wake each other, and the producer never waits for the consumer unless it was asked to block.
/// Memory is taken block by block as it is needed and goes back as the consumer moves on, but for
/// a few blocks that are kept for the next burst.
public final class Spool: Sendable {
  /// What happens to a record for which there is no room.
  public enum Overflow: Sendable {
    /// The newest record is dropped and counted.
    case drop
    /// The producer waits for room: only for sources that can wait.
    case block
  }

  /// How large a spool may grow, and what happens then.
  public struct Options: Sendable {
    /// The most memory the spool may hold; at least two blocks.
    public var limitBytes: Int
    /// What happens at the limit.
    public var overflow: Overflow
    /// The size of an ordinary block; a record larger than that gets one of its own.
    public var blockBytes: Int
    /// A descriptor that ends the waiting of `.block` by becoming readable, such as a signalfd.
    public var interruptDescriptor: Int32?

    /// 512 MiB in blocks of 256 KiB, dropping what finds no room, unless told otherwise.
    public init(
      limitBytes: Int = 512 << 20, overflow: Overflow = .drop, blockBytes: Int = 256 << 10,
      interruptDescriptor: Int32? = nil
    ) {
      self.limitBytes = limitBytes
      self.overflow = overflow
      self.blockBytes = blockBytes
      self.interruptDescriptor = interruptDescriptor
    }
  }

  static let pageBytes = 4096
  /// How many used blocks wait for the next burst.
  private typealias Spares = InlineArray<4, Atomic<UInt>>

  let options: Options
  let limitBytes: Int
  let blockBytes: Int
  let system: SystemCalls

  /// Wakes the consumer: there are records, or there is a command for it.
  let consumerWake: WakeEvent
  /// Wakes a producer that waits for room.
  let producerWake: WakeEvent
  let isConsumerAsleep = Atomic<Bool>(false)
  let isProducerWaiting = Atomic<Bool>(false)
  let isFinished = Atomic<Bool>(false)
  let hasConsumerEnded = Atomic<Bool>(false)

  let committed = AtomicTally()
  let taken = AtomicTally()
  let droppedRecords = Atomic<Int>(0)
  private let memoryBytes = Atomic<Int>(0)
  private let memoryBytesMax = Atomic<Int>(0)

  /// The oldest block that is still held; moved by the consumer.
  let head: Atomic<UInt>
  /// Used blocks on their way back to the producer.
  private let spares = Spares { _ in Atomic(0) }
  private let hasWriter = Atomic<Bool>(false)
  private let hasReader = Atomic<Bool>(false)

  /// Makes an empty spool.
  /// - Throws: `SpoolError` when the first block or a descriptor cannot be had.
  public convenience init(_ options: Options = Options()) throws(SpoolError) {
    try self.init(options, system: .real)
  }

  init(_ options: Options, system: SystemCalls) throws(SpoolError) {
    self.options = options
    self.system = system
    blockBytes = Self.roundedToPages(max(options.blockBytes, Self.pageBytes))
    limitBytes = max(options.limitBytes, 2 * blockBytes)
    do {
      consumerWake = try WakeEvent(system)
      producerWake = try WakeEvent(system)
    } catch {
      throw SpoolError(operation: "descriptor to wake a thread", errno: error)
    }
    do {
      let first = SpoolBlock(base: try system.mapMemory(blockBytes))
      first.initialize(byteCount: blockBytes)
      head = Atomic(first.address)
      memoryBytes.store(blockBytes, ordering: .relaxed)
      memoryBytesMax.store(blockBytes, ordering: .relaxed)
    } catch {
      throw SpoolError(operation: "memory for the first block", errno: error)
    }
  }

  deinit {
    // Both ends hold the spool, so neither is left: the chain and the spares are ours alone.
    var block = SpoolBlock(address: head.load(ordering: .acquiring))
    while let current = block {
      block = current.next()
      unmap(current)
    }
    dropSpares()
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

  /// The numbers, readable from any thread.
  public var usage: SpoolUsage {
    // What was taken is read first: it never exceeds what had been committed by then.
    let taken = taken.value
    return SpoolUsage(
      committed: committed.value, taken: taken,
      droppedRecords: droppedRecords.load(ordering: .relaxed),
      memoryBytes: memoryBytes.load(ordering: .relaxed),
      memoryBytesMax: memoryBytesMax.load(ordering: .relaxed))
  }

  static func roundedToPages(_ byteCount: Int) -> Int {
    (byteCount + pageBytes - 1) / pageBytes * pageBytes
  }
}

// MARK: - Waking

extension Spool {
  // Either side, before it sleeps, says so and then looks once more; the other side, after it has
  // changed something, looks whether anyone sleeps. All four steps are sequentially consistent, so
  // at least one of the two sees the other, and no wake-up is lost.

  /// Wakes the consumer if it sleeps; costs one load if it does not.
  func wakeConsumerIfAsleep() {
    guard isConsumerAsleep.load(ordering: .sequentiallyConsistent) else { return }
    if isConsumerAsleep.exchange(false, ordering: .sequentiallyConsistent) {
      consumerWake.signal()
    }
  }

  /// Wakes a producer that waits, whatever for: it looks again by itself.
  func wakeProducerIfWaiting() {
    guard isProducerWaiting.load(ordering: .sequentiallyConsistent) else { return }
    if isProducerWaiting.exchange(false, ordering: .sequentiallyConsistent) {
      producerWake.signal()
    }
  }

  /// Says that no more records will come.
  func finish() {
    isFinished.store(true, ordering: .sequentiallyConsistent)
    consumerWake.signal()
  }
}

// MARK: - Blocks

extension Spool {
  /// Whether a block of this size may be taken now.
  private func hasRoom(forBlockOf byteCount: Int) -> Bool {
    let held = memoryBytes.load(ordering: .sequentiallyConsistent)
    if held + byteCount <= limitBytes { return true }
    // A record larger than the limit would be waited for until the end of days. When nothing else
    // is waiting it may pass.
    return options.overflow == .block && taken.value.records == committed.value.records
  }

  /// What came of asking for a block.
  enum BlockRequest {
    case granted(SpoolBlock)
    /// The limit is reached: there may be room later.
    case full
    /// The system has no memory to give.
    case refused
  }

  /// A block of at least `byteCount` bytes, for the producer.
  func takeBlock(atLeast byteCount: Int) -> BlockRequest {
    if byteCount <= blockBytes {
      for index in spares.indices {
        let spare = spares[index].exchange(0, ordering: .sequentiallyConsistent)
        guard let block = SpoolBlock(address: spare) else { continue }
        block.initialize(byteCount: blockBytes)
        return .granted(block)
      }
    }
    let size = max(blockBytes, Self.roundedToPages(byteCount))
    if !hasRoom(forBlockOf: size) { dropSpares() }
    guard hasRoom(forBlockOf: size) else { return .full }
    guard let base = try? system.mapMemory(size) else { return .refused }
    let held = memoryBytes.add(size, ordering: .sequentiallyConsistent).newValue
    if held > memoryBytesMax.load(ordering: .relaxed) {
      memoryBytesMax.store(held, ordering: .relaxed)
    }
    let block = SpoolBlock(base: base)
    block.initialize(byteCount: size)
    return .granted(block)
  }

  /// Takes back a block that the consumer has read to its end.
  func giveBack(_ block: SpoolBlock) {
    if block.byteCount == blockBytes {
      for index in spares.indices {
        let (stored, _) = spares[index].compareExchange(
          expected: 0, desired: block.address, ordering: .sequentiallyConsistent)
        if stored { return }
      }
    }
    unmap(block)
  }

  private func dropSpares() {
    for index in spares.indices {
      let spare = spares[index].exchange(0, ordering: .sequentiallyConsistent)
      if let block = SpoolBlock(address: spare) { unmap(block) }
    }
  }

  private func unmap(_ block: SpoolBlock) {
    let size = block.byteCount
    SystemCalls.unmapMemory(block.base, size)
    memoryBytes.subtract(size, ordering: .sequentiallyConsistent)
  }
}
