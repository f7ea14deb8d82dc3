/// Space in a ring that was taken for one record or batch, and shows as the end of the log until it is
/// published.
package struct RingReservation: Sendable {
  /// The first word.
  package let start: Int
  /// The eighths it reaches over, pinned until it is published.
  package let eighths: Range<Int>
  /// Whether the ring was begun anew for it.
  package let wrapped: Bool
}

/// The side of a ring's protocol that takes space (`shm-layout.md` 6.7).
///
/// One thread at a time may use it.
/// The order of the stores is what readers rely on:
///
/// 1. A wrap: the end mark at the beginning is there before the wrap mark leads to it, and the wrap mark is
///    there before the segment's number says so.
/// 2. The end mark behind the new space is there before the space is published, so that no reader walks on
///    into what an earlier turn left.
/// 3. Where a segment's first record is, is there before the segment's number.
/// 4. The number of the segment is there before anything is written into the space: a reader that sees a
///    word of the new record where it expects an old one finds out by the number.
package struct RingAppender<Memory: RingMemory> {
  private let memory: Memory
  private let pins: RingPins
  private let eighthWords: Int
  /// Where the next record will start.
  package private(set) var position = 0
  /// The number of the segment it lies in, modulo 2^32.
  package private(set) var segment: UInt32 = firstSegment

  /// Begins so that the first wrap is also the first overflow: a reader that can't cope with it shows it early.
  package static var firstSegment: UInt32 { 0xFFFF_FFF8 }

  private var ringWords: Int { eighthWords * 8 }

  /// Takes the writer's side of a ring that has been set up and is empty.
  package init(_ memory: Memory, eighthWords: Int, pins: RingPins) {
    self.memory = memory
    self.eighthWords = eighthWords
    self.pins = pins
  }

  /// Stores what an empty ring has, except for the marker.
  package func setUp() {
    memory.store(RingMarks.modern.end, at: 0)
    for slot in 0..<8 { memory.storeFirstRecord(slot == 0 ? 0 : -1, ofSegment: slot) }
    memory.storeSegmentReleasing(segment)
  }

  /// Takes space.
  ///
  /// - Parameter words: at most an eighth of the ring. Then the number that a reader sees is never more
  ///   than two behind where words are being written, which is the margin that readers keep.
  /// - Returns: nil if a thread that was stopped while it wrote is in the way; nothing has changed then.
  package mutating func reserve(_ words: Int) -> RingReservation? {
    precondition(words > 0 && words <= eighthWords, "a record larger than an eighth of the ring")
    // The end mark behind the new space must fit as well.
    let wraps = position + words >= ringWords
    let start = wraps ? 0 : position
    let end = start + words
    let entered = (wraps ? 0 : position / eighthWords + 1)..<(end / eighthWords + 1)
    guard pins.areFree(entered) else { return nil }
    if wraps { wrap() }
    position = end
    memory.store(RingMarks.modern.end, at: end)
    while end / eighthWords > Int(segment % 8) {
      segment &+= 1
      memory.storeFirstRecord(end, ofSegment: Int(segment % 8))
    }
    memory.storeSegmentReleasing(segment)
    memory.fence()
    let eighths = start / eighthWords..<((end - 1) / eighthWords + 1)
    pins.pin(eighths)
    return RingReservation(start: start, eighths: eighths, wrapped: wraps)
  }

  private mutating func wrap() {
    segment = (segment | 7) &+ 1
    memory.storeFirstRecord(0, ofSegment: 0)
    memory.store(RingMarks.modern.end, at: 0)
    if position > 0 { memory.storeReleasing(RingMarks.modern.wrap, at: position) }
    memory.storeSegmentReleasing(segment)
  }
}
