import CShims
import Glibc
package import Platform
import SharedMemory
import Synchronization

/// The memory of a spool: a region cut into slots, of which a block takes one or several in a row.
///
/// The producer takes blocks; the consumer and the spiller give them back. The system provides memory when a
/// slot is used for the first time, and gets it back when the slot is given back, except for a few slots that
/// keep theirs for the next burst. As getting memory from the system takes longer than filling it, the
/// consumer, which has nothing better to do when memory gets short, prepares some.
@safe package final class SpoolMemory: Sendable {
  /// The result of asking for a block.
  package enum Request {
    case granted(SpoolBlock)
    /// The limit is reached: there may be room later.
    case full
    /// The system has no memory to give.
    case refused(Errno)
  }

  private enum Slot {
    /// No memory behind it.
    static let empty: UInt8 = 0
    /// Memory behind it, and no block in it.
    static let spare: UInt8 = 1
    static let used: UInt8 = 2
    /// A thread has claimed the slot, and is getting memory for it.
    static let changing: UInt8 = 3
  }

  /// How many unused slots keep their memory.
  private static let sparesMax = 8
  /// When fewer unused slots have memory, more are prepared.
  private static let sparesWanted = 4

  let slotBytes: Int
  package let limitBytes: Int
  private let region: ResizableRegion
  private let system: SystemCalls
  // `slotCount` states that live as long as `self`. A thread that changes a state from `empty` or `spare`, by
  // a compare and exchange, owns the slot from then on.
  nonisolated(unsafe) private let slots: UnsafeMutablePointer<Atomic<UInt8>>
  private let slotCount: Int
  private let heldBytes = Atomic<Int>(0)
  /// How much memory can be had: the limit, or less once the system has refused memory.
  private let obtainableBytes: Atomic<Int>
  private let heldBytesMax = Atomic<Int>(0)
  private let spareCount = Atomic<Int>(0)
  /// As a rule, no slot below this one is empty; the producer starts its search here.
  private let hint = Atomic<Int>(0)

  /// The address of the block that has memory of its own; 0 while there is none.
  private let oversized = Atomic<UInt>(0)

  /// Reserves addresses for blocks of this many bytes.
  init(limitBytes: Int, slotBytes: Int, system: SystemCalls) throws(SpoolError) {
    self.slotBytes = Self.roundedToPages(max(slotBytes, Self.pageBytes))
    self.limitBytes = max(limitBytes, 2 * self.slotBytes)
    obtainableBytes = Atomic(self.limitBytes)
    self.system = system
    slotCount = self.limitBytes / self.slotBytes + 1
    do {
      region = try ResizableRegion(
        anonymous: "spool",
        options: ResizableRegion.Options(
          spanBytes: slotCount * self.slotBytes, growthBytes: self.slotBytes))
    } catch {
      throw SpoolError(operation: "memory: \(error)", errno: .noMemory)
    }
    // There may be many slots, of which few are ever used; zeros, which mean empty slots, cost nothing.
    guard let zeros = unsafe calloc(slotCount, MemoryLayout<Atomic<UInt8>>.stride) else {
      throw SpoolError(operation: "memory", errno: .noMemory)
    }
    unsafe slots = unsafe zeros.bindMemory(to: Atomic<UInt8>.self, capacity: slotCount)
  }

  deinit {
    unsafe free(slots)
    if let block = SpoolBlock(address: oversized.load(ordering: .relaxed)) {
      unsafe SystemCalls.unmap(block.base, block.byteCount)
    }
  }

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
  /// - Parameter mayExceed: whether the limit may be exceeded, as no entries are waiting: otherwise a larger
  ///   block would wait for room forever.
  func take(atLeast byteCount: Int, firstSequence: Int, mayExceed: Bool) -> Request {
    let count = (byteCount + slotBytes - 1) / slotBytes
    if count == 1, let index = claimSpare() { return .granted(block(index, 1, firstSequence)) }
    if !hasRoom(for: count) { dropSpares() }
    guard hasRoom(for: count) else { return mayExceed ? takeOversized(count, firstSequence) : .full }
    guard let first = claimRow(count) else { return takeOversized(count, firstSequence) }
    do throws(Errno) {
      try obtain(first, count)
    } catch {
      for index in first..<first + count { unsafe slots[index].store(Slot.empty, ordering: .releasing) }
      obtainableBytes.min(max(heldBytes.load(ordering: .relaxed), 2 * slotBytes), ordering: .relaxed)
      return .refused(error)
    }
    for index in first..<first + count { unsafe slots[index].store(Slot.used, ordering: .releasing) }
    return .granted(block(first, count, firstSequence))
  }

  /// How much memory in use has blocks moved to disk, and down to how much they are moved: well before memory
  /// is full, as a disk takes its time.
  var watermarks: (high: Int, low: Int) {
    let bytes = obtainableBytes.load(ordering: .relaxed)
    return (bytes / 2, bytes / 4)
  }

  /// Whether there is so little unused memory that more should be prepared.
  var isShort: Bool {
    spareCount.load(ordering: .relaxed) < Self.sparesWanted && isFarFromLimit
  }

  /// Gets memory for some empty slots; for the consumer.
  func prepare() {
    while spareCount.load(ordering: .relaxed) < Self.sparesMax, isFarFromLimit, let index = claimEmpty(1) {
      let isObtained = (try? obtain(index, 1)) != nil
      if isObtained { spareCount.add(1, ordering: .sequentiallyConsistent) }
      unsafe slots[index].store(isObtained ? Slot.spare : Slot.empty, ordering: .sequentiallyConsistent)
      if !isObtained { return }
    }
  }

  /// Whether memory that is being prepared can't be the reason for a refusal to the producer.
  private var isFarFromLimit: Bool {
    heldBytes.load(ordering: .relaxed) + Self.sparesMax * slotBytes <= limitBytes
  }

  /// Gets memory for slots.
  ///
  /// - Throws: `Errno` if the system has none.
  private func obtain(_ first: Int, _ count: Int) throws(Errno) {
    let offset = first * slotBytes
    let byteCount = count * slotBytes
    try system.check(.mmap)
    do throws(RegionError) {
      if region.byteCount < offset + byteCount { try region.grow(toAtLeast: offset + byteCount) }
      // Slots that were given back have lost their memory; for new slots this call costs nothing.
      try region.allocate(offset: offset, byteCount: byteCount)
    } catch {
      throw error.code.map { Errno($0) } ?? .noMemory
    }
    // One call instead of a fault for every page; a system without this call uses faults.
    _ = unsafe madvise(region.base + offset, byteCount, shim_madv_populate_write)
    let held = heldBytes.add(byteCount, ordering: .sequentiallyConsistent).newValue
    heldBytesMax.max(held, ordering: .relaxed)
  }

  /// Claims this many empty slots in a row, if need be by giving up spare ones between them.
  private func claimRow(_ count: Int) -> Int? {
    if let first = claimEmpty(count) { return first }
    dropSpares()
    return claimEmpty(count)
  }

  /// Maps memory for a block that the region has no room for, or not in one piece; there is one at a time.
  private func takeOversized(_ count: Int, _ firstSequence: Int) -> Request {
    guard oversized.load(ordering: .sequentiallyConsistent) == 0 else { return .full }
    let byteCount = count * slotBytes
    let memory: UnsafeMutableRawPointer
    do {
      unsafe memory = unsafe try system.map(byteCount)
    } catch {
      return .refused(error)
    }
    let held = heldBytes.add(byteCount, ordering: .sequentiallyConsistent).newValue
    heldBytesMax.max(held, ordering: .relaxed)
    let block = unsafe SpoolBlock(base: memory)
    block.initialize(byteCount: byteCount, firstSequence: firstSequence)
    oversized.store(block.address, ordering: .sequentiallyConsistent)
    return .granted(block)
  }

  /// Takes back a block that no thread uses any more.
  func giveBack(_ block: SpoolBlock) {
    if block.address == oversized.load(ordering: .sequentiallyConsistent) {
      let byteCount = block.byteCount
      unsafe SystemCalls.unmap(block.base, byteCount)
      heldBytes.subtract(byteCount, ordering: .sequentiallyConsistent)
      return oversized.store(0, ordering: .sequentiallyConsistent)
    }
    let first = unsafe (block.base - region.base) / slotBytes
    let count = block.byteCount / slotBytes
    if count == 1, spareCount.load(ordering: .sequentiallyConsistent) < Self.sparesMax {
      spareCount.add(1, ordering: .sequentiallyConsistent)
      unsafe slots[first].store(Slot.spare, ordering: .sequentiallyConsistent)
      return
    }
    discard(first, count)
  }

  private func block(_ first: Int, _ count: Int, _ firstSequence: Int) -> SpoolBlock {
    let block = unsafe SpoolBlock(base: region.base + first * slotBytes)
    block.initialize(byteCount: count * slotBytes, firstSequence: firstSequence)
    return block
  }

  private func hasRoom(for count: Int) -> Bool {
    heldBytes.load(ordering: .sequentiallyConsistent) + count * slotBytes <= limitBytes
  }

  /// Claims a slot that has memory; nil if there is none.
  private func claimSpare() -> Int? {
    guard spareCount.load(ordering: .sequentiallyConsistent) > 0 else { return nil }
    return (0..<min(slotCount, region.byteCount / slotBytes)).first { index in
      guard exchange(index, Slot.spare, for: Slot.used) else { return false }
      spareCount.subtract(1, ordering: .sequentiallyConsistent)
      return true
    }
  }

  private func dropSpares() {
    while let index = claimSpare() { discard(index, 1) }
  }

  private func exchange(_ index: Int, _ expected: UInt8, for desired: UInt8) -> Bool {
    // Read first: of thousands of slots only few have the expected state.
    unsafe slots[index].load(ordering: .relaxed) == expected
      && slots[index].compareExchange(
        expected: expected, desired: desired, ordering: .sequentiallyConsistent
      ).exchanged
  }

  /// Claims this many empty slots in a row; nil if there are none.
  private func claimEmpty(_ count: Int) -> Int? {
    claimEmpty(count, from: hint.load(ordering: .relaxed)) ?? claimEmpty(count, from: 0)
  }

  private func claimEmpty(_ count: Int, from start: Int) -> Int? {
    var first = start
    for index in start..<slotCount {
      if exchange(index, Slot.empty, for: Slot.changing) {
        if index - first + 1 < count { continue }
        if count == 1 { hint.store(index + 1, ordering: .relaxed) }
        return first
      }
      for claimed in first..<index { unsafe slots[claimed].store(Slot.empty, ordering: .releasing) }
      first = index + 1
    }
    for claimed in first..<slotCount { unsafe slots[claimed].store(Slot.empty, ordering: .releasing) }
    return nil
  }

  /// Gives a block's memory back to the system; a failure leaves it allocated.
  private func discard(_ first: Int, _ count: Int) {
    try? region.discard(offset: first * slotBytes, byteCount: count * slotBytes)
    heldBytes.subtract(count * slotBytes, ordering: .sequentiallyConsistent)
    for index in first..<first + count { unsafe slots[index].store(Slot.empty, ordering: .releasing) }
    if first < hint.load(ordering: .relaxed) { hint.store(first, ordering: .relaxed) }
  }
}
