import Synchronization

/// A tally that one thread writes and any thread reads.
///
/// The two numbers are read one after the other, so while the writing thread goes on they may
/// belong to different moments; once it has stopped they are exact.
package struct AtomicTally: ~Copyable, Sendable {
  private let entries = Atomic<Int>(0)
  private let bytes = Atomic<Int>(0)

  /// Zero.
  package init() {}

  package var value: Tally {
    Tally(
      entries: entries.load(ordering: .sequentiallyConsistent),
      bytes: bytes.load(ordering: .sequentiallyConsistent))
  }

  /// Replaces the value; for the one writing thread only.
  package func store(_ tally: Tally) {
    bytes.store(tally.bytes, ordering: .sequentiallyConsistent)
    entries.store(tally.entries, ordering: .sequentiallyConsistent)
  }

  /// Adds to the value; for the one writing thread only.
  package func add(_ tally: Tally) { store(value + tally) }
}
