/// The side of a 3.0 ring's protocol that takes space (`shm-layout.md` 3.4).
///
/// One thread at a time may use it.
/// Word 0 counts the turns, and the records begin at word 1. A reader that finds an end mark at its place and
/// another count at the beginning goes on there; so the count changes only after the end mark is at the
/// beginning, and before the wrap mark is where the writer was.
package struct TurningAppender<Memory: RingMemory> {
  private let memory: Memory
  private let pins: RingPins
  private let ringWords: Int
  /// Where the next record will start.
  package private(set) var position = 1
  /// The turn's number, never 0.
  package private(set) var turn: UInt32

  /// The part of the ring that pins count as one.
  private var eighthWords: Int { (ringWords + 7) / 8 }

  /// Takes the writer's side of an empty ring.
  package init(_ memory: Memory, ringWords: Int, turn: UInt32, pins: RingPins) {
    self.memory = memory
    self.ringWords = ringWords
    self.turn = max(turn, 1)
    self.pins = pins
  }

  /// Stores what an empty ring has.
  package func setUp() {
    memory.store(RingMarks.old.end, at: 1)
    memory.storeReleasing(turn, at: 0)
  }

  /// Takes space.
  ///
  /// - Parameter words: at most an eighth of the ring.
  /// - Returns: nil if a thread that was stopped while it wrote is in the way; nothing has changed then.
  package mutating func reserve(_ words: Int) -> RingReservation? {
    precondition(words > 0 && words <= ringWords / 8, "a record larger than an eighth of the ring")
    let wraps = position + words >= ringWords
    let start = wraps ? 1 : position
    let end = start + words
    let entered = (wraps ? 0 : position / eighthWords + 1)..<(end / eighthWords + 1)
    guard pins.areFree(entered), entered.allSatisfy(isNearUnfinished) else { return nil }
    if wraps { wrap() }
    position = end
    memory.store(RingMarks.old.end, at: end)
    memory.fence()
    let eighths = start / eighthWords..<((end - 1) / eighthWords + 1)
    pins.pin(eighths)
    return RingReservation(start: start, eighths: eighths, wrapped: wraps)
  }

  /// Whether no unfinished record lies more than half of the ring behind an eighth.
  ///
  /// Readers see how far the writer is by the first record that isn't finished; so that record must not be
  /// too far away.
  private func isNearUnfinished(_ eighth: Int) -> Bool {
    (1...4).allSatisfy { distance in
      let other = (eighth + distance) % 8
      return pins.areFree(other..<other + 1)
    }
  }

  private mutating func wrap() {
    turn = turn == .max ? 1 : turn + 1
    memory.store(RingMarks.old.end, at: 1)
    memory.storeReleasing(turn, at: 0)
    if position > 1 { memory.storeReleasing(RingMarks.old.wrap, at: position) }
    memory.fence()
  }
}
