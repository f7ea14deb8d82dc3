import Synchronization

/// One piece of a spool's memory: whole entries growing up from its start, and for each of them a slot, growing down
/// from its end.
///
///     ┌────────┬──────────┬──────────┬─────┬─ … room … ─┬─────┬──────┬──────┐
///     │ header │ entry 0  │ entry 1  │ …   │            │ …   │ slot │ slot │
///     │        │          │          │     │            │     │  1   │  0   │
///     └────────┴──────────┴──────────┴─────┴────────────┴─────┴──────┴──────┘
///
/// A slot has the offset at which the entry ends (4 bytes), and its mark: the ordinal (4) and the place (8).
///
/// All raw memory of a spool is accessed through this type and the writer's cursor into it. It is a plain
/// address: the code that holds one makes sure that it stays mapped.
/// * The producer writes bytes and slots behind what it has published, and nowhere else.
/// * The consumer reads what `publishedCount` covers. That store is the release, its load the
///   acquire that makes the bytes visible; they never change again.
/// * A block belongs to the producer until it is linked, and goes back only after the consumer has
///   moved on to the next one, which it does once it has taken everything.
@usableFromInline
@safe package struct SpoolBlock: Equatable, @unchecked Sendable {
  /// Room for the header; entries start on a cache line of their own.
  static let headerBytes = 64
  /// The size of a slot, which each entry needs besides its bytes.
  @inlinable static var slotBytes: Int { 16 }
  /// The largest entry: end offsets have 32 bits, and no real line is this long.
  static let entryBytesMax = 1 << 30

  /// The size of a block for these entries.
  static func byteCount(forEntries entryCount: Int, of byteCount: Int) -> Int {
    // The slots must be aligned, and are where the block ends.
    (headerBytes + byteCount + entryCount * slotBytes + 15) / 16 * 16
  }

  let base: UnsafeMutableRawPointer

  init(base: UnsafeMutableRawPointer) { unsafe self.base = unsafe base }

  /// The block at an address that was kept as a number; 0 means none.
  init?(address: UInt) {
    guard let base = unsafe UnsafeMutableRawPointer(bitPattern: address) else { return nil }
    unsafe self.base = unsafe base
  }

  var address: UInt { unsafe UInt(bitPattern: base) }

  // Written out, because the compiler warns of the one it would make: that compares pointers without a mark.
  @usableFromInline
  package static func == (left: SpoolBlock, right: SpoolBlock) -> Bool { unsafe left.base == right.base }

  /// Writes the header of an empty block over fresh or used memory.
  func initialize(byteCount: Int, firstSequence: Int) {
    unsafe publishedPointer.initialize(to: Atomic(0))
    unsafe nextPointer.initialize(to: Atomic(0))
    unsafe (base + 16).storeBytes(of: byteCount, as: Int.self)
    unsafe (base + 24).storeBytes(of: firstSequence, as: Int.self)
  }

  // The header's fields: mapped memory is page-aligned, so these are aligned for their types, and
  // `initialize` has made them before another thread learns the address.

  private var publishedPointer: UnsafeMutablePointer<Atomic<UInt32>> {
    unsafe base.assumingMemoryBound(to: Atomic<UInt32>.self)
  }

  private var nextPointer: UnsafeMutablePointer<Atomic<UInt>> {
    unsafe (base + 8).assumingMemoryBound(to: Atomic<UInt>.self)
  }

  /// The size of the whole block.
  var byteCount: Int { unsafe base.load(fromByteOffset: 16, as: Int.self) }

  /// The sequence of the first entry.
  var firstSequence: Int { unsafe base.load(fromByteOffset: 24, as: Int.self) }

  /// The published entries and their slots, as they are written to disk; valid as long as the block is.
  var body: SpoolFrame.Body {
    let count = publishedCount()
    let entryByteCount = count == 0 ? 0 : endOffset(ofEntry: count - 1)
    let slotByteCount = count * Self.slotBytes
    return unsafe SpoolFrame.Body(
      entries: UnsafeRawBufferPointer(start: entryBytes, count: entryByteCount),
      slots: UnsafeRawBufferPointer(start: slotsEnd - slotByteCount, count: slotByteCount),
      entryCount: count)
  }

  /// Where the bytes of the first entry start.
  var entryBytes: UnsafeMutableRawPointer { unsafe base + Self.headerBytes }

  /// Where the memory ends, and the slot of entry 0 with it.
  var slotsEnd: UnsafeMutableRawPointer { unsafe base + byteCount }

  /// How many entries the consumer may read.
  func publishedCount() -> Int { unsafe Int(publishedPointer.pointee.load(ordering: .acquiring)) }

  /// The same count, in one order with the flags by which the threads announce that they sleep.
  func publishedCountOrdered() -> Int {
    unsafe Int(publishedPointer.pointee.load(ordering: .sequentiallyConsistent))
  }

  func publish(count: Int) {
    unsafe publishedPointer.pointee.store(UInt32(count), ordering: .sequentiallyConsistent)
  }

  /// The block that follows; once there is one, no more entries are published in this block.
  func next() -> SpoolBlock? {
    unsafe SpoolBlock(address: nextPointer.pointee.load(ordering: .sequentiallyConsistent))
  }

  func link(to next: SpoolBlock) {
    unsafe nextPointer.pointee.store(next.address, ordering: .sequentiallyConsistent)
  }

  /// The offset, from `entryBytes`, at which a published entry ends.
  func endOffset(ofEntry index: Int) -> Int {
    unsafe Int(slotsEnd.load(fromByteOffset: -(index + 1) * Self.slotBytes, as: UInt32.self))
  }

  /// The mark of a published entry.
  func mark(ofEntry index: Int) -> EntryMark {
    let slot = unsafe slotsEnd - (index + 1) * Self.slotBytes
    return unsafe EntryMark(
      place: slot.load(fromByteOffset: 8, as: UInt64.self),
      ordinal: slot.load(fromByteOffset: 4, as: UInt32.self))
  }

  /// Converts slots of version 0.1.0, four bytes each at the end of the block, to the present form, with
  /// marks in front of all others.
  func widenSlots(_ count: Int) {
    // From the last slot on: the slots that are still narrow lie behind it.
    for index in (0..<count).reversed() {
      let narrow = unsafe slotsEnd - (index + 1) * SpoolFrame.formerSlotBytes
      let end = unsafe narrow.load(as: UInt32.self)
      unsafe Self.store(end, .start, at: slotsEnd - (index + 1) * Self.slotBytes)
    }
  }

  /// Writes a slot; the slot of entry `index` is at `slotsEnd - (index + 1) * slotBytes`.
  @inlinable
  static func store(_ end: UInt32, _ mark: EntryMark, at slot: UnsafeMutableRawPointer) {
    unsafe slot.storeBytes(of: end, as: UInt32.self)
    unsafe slot.storeBytes(of: mark.ordinal, toByteOffset: 4, as: UInt32.self)
    unsafe slot.storeBytes(of: mark.place, toByteOffset: 8, as: UInt64.self)
  }
}
