import Synchronization

/// Counts, for each eighth of a ring, the records that were reserved and aren't finished.
///
/// A thread may be stopped for any time between reserving and finishing. If the other threads came round
/// meanwhile, it would write over their records; so no thread enters an eighth in which another one is still
/// writing a record of an earlier turn. Readers know nothing of this.
@safe package final class RingPins: @unchecked Sendable {
  // One counter to a cache line; only the first element of each stretch is used.
  private let counts: UnsafeMutablePointer<Atomic<Int>>
  private static var stretch: Int { 64 / MemoryLayout<Atomic<Int>>.stride }
  private static var eighthCount: Int { 8 }

  /// Begins with no record pinned.
  package init() {
    unsafe counts = .allocate(capacity: Self.eighthCount * Self.stretch)
    for index in 0..<Self.eighthCount * Self.stretch { unsafe (counts + index).initialize(to: Atomic(0)) }
  }

  deinit {
    unsafe counts.deinitialize(count: Self.eighthCount * Self.stretch)
    unsafe counts.deallocate()
  }

  @inline(__always)
  private func count(_ eighth: Int) -> UnsafeMutablePointer<Atomic<Int>> {
    // The mask keeps the index inside, for any result of the ring's arithmetic.
    unsafe counts + (eighth & (Self.eighthCount - 1)) * Self.stretch
  }

  /// Whether everything in these eighths is finished.
  package func areFree(_ eighths: Range<Int>) -> Bool {
    for eighth in eighths where unsafe count(eighth).pointee.load(ordering: .acquiring) != 0 { return false }
    return true
  }

  /// Counts a record that reaches over these eighths.
  package func pin(_ eighths: Range<Int>) {
    for eighth in eighths { unsafe count(eighth).pointee.add(1, ordering: .relaxed) }
  }

  /// Takes a record off the counts: it is finished.
  package func unpin(_ eighths: Range<Int>) {
    for eighth in eighths { unsafe count(eighth).pointee.subtract(1, ordering: .releasing) }
  }
}
