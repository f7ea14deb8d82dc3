import VarnishLog
import CShims

/// Where a ring's words are stored.
///
/// The writer never reads a ring, so the stores it makes, and their order, are all that readers depend on.
/// Tests put a list of stores in the memory's place and let readers look between any two of them.
package protocol RingMemory {
  /// Stores a word of the ring in one piece.
  func store(_ word: UInt32, at index: Int)
  /// Stores a word of the ring so that a reader that sees it sees all that was stored before.
  func storeReleasing(_ word: UInt32, at index: Int)
  /// Copies whole words into the ring, in any order.
  func copy(_ words: UnsafeRawBufferPointer, to index: Int)
  /// Says where the first record of a segment is.
  func storeFirstRecord(_ index: Int, ofSegment slot: Int)
  /// Says which segment is being written, so that a reader that sees it sees all that was stored before.
  func storeSegmentReleasing(_ number: UInt32)
  /// Keeps every store before it before every store after it.
  func fence()
}

extension RingMemory {
  /// Fills the reserved space and makes it visible: the first word is stored last, and as long as it isn't
  /// there, readers see the end of the log.
  ///
  /// - Parameter words: at least one whole word, of which the first is no mark.
  @inline(__always)
  package func publish(_ words: UnsafeRawBufferPointer, at start: Int) {
    guard words.count >= 4 else { return }
    unsafe copy(UnsafeRawBufferPointer(rebasing: words[4...]), to: start + 1)
    unsafe storeReleasing(words.load(as: UInt32.self), at: start)
  }
}

/// The words that are no records.
package struct RingMarks: Sendable {
  /// Nothing has been written here yet.
  package let end: UInt32
  /// The ring goes on at its beginning.
  package let wrap: UInt32

  /// In logs with transaction numbers, 4.0 and newer.
  package static let modern = RingMarks(end: 0xFE45_4545, wrap: 0xFE57_5757)
  /// In a single file of 3.0.
  package static let old = RingMarks(end: 0xFF45_4545, wrap: 0xFF57_5757)
}

/// A ring in shared memory.
@safe struct SharedRing: RingMemory, @unchecked Sendable {
  /// Word 0; the code that makes a ring makes sure that the memory is there and aligned.
  let words: UnsafeMutableRawPointer
  /// The head in front of it; a ring of 3.0 has none, and nothing is ever stored there.
  let head: UnsafeMutableRawPointer

  func store(_ word: UInt32, at index: Int) { unsafe shim_store_u32(words + index * 4, word) }

  func storeReleasing(_ word: UInt32, at index: Int) {
    unsafe shim_store_release_u32(words + index * 4, word)
  }

  func copy(_ words: UnsafeRawBufferPointer, to index: Int) {
    guard let source = words.baseAddress else { return }
    unsafe (self.words + index * 4).copyMemory(from: source, byteCount: words.count)
  }

  func storeFirstRecord(_ index: Int, ofSegment slot: Int) {
    unsafe shim_store_u64(
      head + RingLayout.firstRecordsOffset + slot * 8, UInt64(bitPattern: Int64(index)))
  }

  func storeSegmentReleasing(_ number: UInt32) {
    unsafe shim_store_release_u32(head + RingLayout.segmentNumberOffset, number)
  }

  func fence() { shim_fence_release() }
}
