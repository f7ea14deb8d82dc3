import Glibc
import SharedMemory
import Synchronization

/// The memory of a spool: a region cut into slots, of which a block takes one or several in a row.
///
/// The producer takes, the consumer and whoever moves blocks to disk give back; nobody waits for anybody.
/// Memory is really taken when a slot is used for the first time, and goes back to the system with the slot,
/// but for a few that wait for the next burst.
final class SpoolMemory: Sendable {
  /// What came of asking for a block.
  enum Request {
    case granted(SpoolBlock)
    /// The limit is reached: there may be room later.
    case full
    /// The system has no memory to give.
    case refused
  }

  private enum Slot {
    /// No memory behind it.
    static let empty: UInt8 = 0
    /// Memory behind it, and nobody uses it.
    static let spare: UInt8 = 1
    static let used: UInt8 = 2
  }

  /// How many unused slots keep their memory.
  private static let sparesMax = 4

  let slotBytes: Int
  let limitBytes: Int
  private let region: ResizableRegion
  private let system: SystemCalls
  // `slotCount` states that live as long as `self`; one moves to `used` in the producer alone, and away
  // from it in the one thread that holds the block.
  nonisolated(unsafe) private let slots: UnsafeMutablePointer<Atomic<UInt8>>
  private let slotCount: Int
  private let heldBytes = Atomic<Int>(0)
  private let heldBytesMax = Atomic<Int>(0)
  private let spareCount = Atomic<Int>(0)
  /// No slot below it is empty, as a rule; where the producer looks first.
  private let hint = Atomic<Int>(0)

  /// Reserves addresses for so many bytes of blocks, and for one more as large as can be.
  init(limitBytes: Int, slotBytes: Int, system: SystemCalls) throws(SpoolError) {
    self.slotBytes = Self.roundedToPages(max(slotBytes, Self.pageBytes))
    self.limitBytes = max(limitBytes, 2 * self.slotBytes)
    self.system = system
    let span = self.limitBytes + SpoolBlock.recordBytesMax + self.slotBytes
    slotCount = span / self.slotBytes
    do {
      region = try ResizableRegion(
        anonymous: "spool",
        options: ResizableRegion.Options(
          spanBytes: slotCount * self.slotBytes, growthBytes: self.slotBytes))
    } catch {
      throw SpoolError(operation: "memory: \(error)", errno: .noMemory)
    }
    slots = .allocate(capacity: slotCount)
    for index in 0..<slotCount { (slots + index).initialize(to: Atomic(Slot.empty)) }
  }

  deinit { slots.deinitialize(count: slotCount).deallocate() }

  static let pageBytes = 4096

  static func roundedToPages(_ byteCount: Int) -> Int {
    (byteCount + pageBytes - 1) / pageBytes * pageBytes
  }

  /// Memory that blocks hold now, and the most they ever held; unused slots with memory included.
  var usage: (bytes: Int, bytesMax: Int) {
    (heldBytes.load(ordering: .relaxed), heldBytesMax.load(ordering: .relaxed))
  }

  /// How much of the limit blocks use.
  var usedBytes: Int {
    heldBytes.load(ordering: .sequentiallyConsistent)
      - spareCount.load(ordering: .sequentiallyConsistent) * slotBytes
  }

  /// A block of at least `byteCount` bytes; for the producer.
  ///
  /// - Parameter mayExceed: whether the limit doesn't count, as nothing else is waiting: what is larger would
  ///   wait for room until the end of days.
  func take(atLeast byteCount: Int, firstSequence: Int, mayExceed: Bool) -> Request {
    let count = (byteCount + slotBytes - 1) / slotBytes
    if count == 1, let block = takeSpare(firstSequence) { return .granted(block) }
    if !hasRoom(for: count) { dropSpares() }
    guard hasRoom(for: count) || mayExceed else { return .full }
    guard let first = findEmpty(count) else { return .full }
    let offset = first * slotBytes
    do {
      try system.check(.mmap)
      if region.byteCount < offset + count * slotBytes {
        try region.grow(toAtLeast: offset + count * slotBytes)
      }
      // What was given back before has lost its memory; what is new has it, and this costs nothing.
      try region.allocate(offset: offset, byteCount: count * slotBytes)
    } catch {
      return .refused
    }
    for index in first..<first + count { slots[index].store(Slot.used, ordering: .relaxed) }
    if count == 1 { hint.store(first + 1, ordering: .relaxed) }
    let held = heldBytes.add(count * slotBytes, ordering: .sequentiallyConsistent).newValue
    if held > heldBytesMax.load(ordering: .relaxed) { heldBytesMax.store(held, ordering: .relaxed) }
    return .granted(block(first, count, firstSequence))
  }

  /// Takes back a block that nobody looks at any more.
  func giveBack(_ block: SpoolBlock) {
    let first = (block.base - region.base) / slotBytes
    let count = block.byteCount / slotBytes
    if count == 1, spareCount.load(ordering: .sequentiallyConsistent) < Self.sparesMax {
      spareCount.add(1, ordering: .sequentiallyConsistent)
      slots[first].store(Slot.spare, ordering: .sequentiallyConsistent)
      return
    }
    discard(first, count)
  }

  private func block(_ first: Int, _ count: Int, _ firstSequence: Int) -> SpoolBlock {
    let block = SpoolBlock(base: region.base + first * slotBytes)
    block.initialize(byteCount: count * slotBytes, firstSequence: firstSequence)
    return block
  }

  private func hasRoom(for count: Int) -> Bool {
    heldBytes.load(ordering: .sequentiallyConsistent) + count * slotBytes <= limitBytes
  }

  private func takeSpare(_ firstSequence: Int) -> SpoolBlock? {
    guard spareCount.load(ordering: .sequentiallyConsistent) > 0 else { return nil }
    for index in 0..<min(slotCount, region.byteCount / slotBytes) where claimSpare(index) {
      return block(index, 1, firstSequence)
    }
    return nil
  }

  private func claimSpare(_ index: Int) -> Bool {
    guard slots[index].load(ordering: .relaxed) == Slot.spare else { return false }
    slots[index].store(Slot.used, ordering: .sequentiallyConsistent)
    spareCount.subtract(1, ordering: .sequentiallyConsistent)
    return true
  }

  private func dropSpares() {
    guard spareCount.load(ordering: .sequentiallyConsistent) > 0 else { return }
    for index in 0..<min(slotCount, region.byteCount / slotBytes) where claimSpare(index) {
      discard(index, 1)
    }
  }

  /// The first of so many empty slots in a row; nil if there are none.
  private func findEmpty(_ count: Int) -> Int? {
    let start = hint.load(ordering: .relaxed)
    return findEmpty(count, from: start) ?? findEmpty(count, from: 0)
  }

  private func findEmpty(_ count: Int, from start: Int) -> Int? {
    var length = 0
    for index in start..<slotCount {
      length = slots[index].load(ordering: .acquiring) == Slot.empty ? length + 1 : 0
      if length == count { return index - count + 1 }
    }
    return nil
  }

  /// Gives a block's memory back to the system; should that fail, it is simply not given back.
  private func discard(_ first: Int, _ count: Int) {
    try? region.discard(offset: first * slotBytes, byteCount: count * slotBytes)
    heldBytes.subtract(count * slotBytes, ordering: .sequentiallyConsistent)
    for index in first..<first + count { slots[index].store(Slot.empty, ordering: .releasing) }
    if first < hint.load(ordering: .relaxed) { hint.store(first, ordering: .relaxed) }
  }
}
