import Platform
import Synchronization

/// The entries between the producer and the consumer: frames on disk, then blocks in memory, the oldest
/// first; and those that the consumer has taken but that aren't settled.
///
/// The producer appends blocks by linking them to one another and never calls this type. The consumer claims
/// one block after the other; the spiller, which moves blocks to disk, claims one of those that the producer
/// has left. Consumer and spiller share a lock, which is never held during a system call.
package final class SpoolQueue: Sendable {
  /// What the consumer reads next.
  enum Piece {
    case block(SpoolBlock)
    case frame(SpoolDisk.StoredFrame)
  }

  /// Entries that the consumer has left, and that may not all be settled.
  struct Taken {
    /// Their block in memory; nil if it isn't needed, as they are on disk.
    var block: SpoolBlock?
    /// Their frame on disk, if there is one.
    var frame: SpoolDisk.StoredFrame?
    let sequences: Range<Int>
  }

  private struct State {
    var frames: StoredFrameQueue
    /// The oldest block in memory that isn't claimed; nil if it is the one behind `current`.
    var next: SpoolBlock?
    /// The block that the consumer has; nil if it is the image of a frame.
    var current: SpoolBlock?
    /// The frame on disk with the entries that the consumer has.
    var currentFrame: SpoolDisk.StoredFrame?
    /// The pieces that the consumer has left and hasn't released, the oldest first.
    var taken: [Taken] = []
    /// The block that is being written to disk.
    var spilling: SpoolBlock?
    /// Whether the consumer has or had the block that is being written to disk.
    var isSpillingClaimed = false
  }

  private let state: Guarded<State>
  /// Whether blocks that were taken stay in memory until they are released, as frames do.
  private let holdsTaken: Bool
  /// The sequence in front of which all unreleased entries are on disk; constant unless taken blocks are
  /// held.
  let storedThrough: Atomic<Int>

  init(first: SpoolBlock, frames: [SpoolDisk.StoredFrame], holdsTaken: Bool, storedThrough: Int) {
    state = Guarded(State(frames: StoredFrameQueue(frames), next: first))
    self.holdsTaken = holdsTaken
    self.storedThrough = Atomic(storedThrough)
  }

  /// The frames on disk that aren't claimed.
  package var frames: [SpoolDisk.StoredFrame] { state.withLock { $0.frames.all } }

  /// The pieces that were taken and not released.
  var taken: [Taken] { state.withLock { $0.taken } }

  /// The frame on disk with the entries that the consumer has, if there is one.
  var currentFrame: SpoolDisk.StoredFrame? { state.withLock { $0.currentFrame } }

  /// The oldest block in memory that isn't claimed.
  var firstUnclaimed: SpoolBlock? { state.withLock { $0.next ?? $0.current?.next() } }

  // MARK: The consumer

  /// Claims the next piece; if a block was claimed before, there must be a piece behind it.
  ///
  /// - Returns: the piece, and the block that was claimed before if its memory is free now.
  func claimNext() -> (piece: Piece, free: SpoolBlock?) {
    state.withLock { state in
      let free = leaveCurrent(&state)
      if let frame = state.frames.popFirst() {
        state.currentFrame = frame
        return (.frame(frame), free)
      }
      if let spilling = state.spilling, !state.isSpillingClaimed {
        state.isSpillingClaimed = true
        // The spiller, which is writing this block, has moved `next` on already.
        state.current = spilling
        return (.block(spilling), free)
      }
      guard let next = state.next else { preconditionFailure("a block was left that nothing follows") }
      state.current = next
      state.next = nil
      return (.block(next), free)
    }
  }

  /// Ends the consumer's claim on its piece.
  private func leaveCurrent(_ state: inout State) -> SpoolBlock? {
    defer { (state.current, state.currentFrame) = (nil, nil) }
    let frame = state.currentFrame
    guard let current = state.current else {
      if let frame { state.taken.append(Taken(frame: frame, sequences: frame.frame.sequences)) }
      return nil
    }
    state.next = state.next ?? current.next()
    let sequences = current.firstSequence..<current.firstSequence + current.publishedCount()
    if holdsTaken, !sequences.isEmpty {
      state.taken.append(Taken(block: frame == nil ? current : nil, frame: frame, sequences: sequences))
      return frame == nil ? nil : current
    }
    return state.spilling == current ? nil : current
  }

  /// Puts a frame back that could not be read yet.
  func putBack(_ frame: SpoolDisk.StoredFrame) {
    state.withLock { state in
      state.currentFrame = nil
      state.frames.putBack(frame)
    }
  }

  /// Drops the claimed frame, which is damaged.
  func dropCurrent() { state.withLock { $0.currentFrame = nil } }

  /// Removes the taken pieces that end at or in front of a sequence: they aren't needed any more.
  func release(through sequence: Int) -> [Taken] {
    state.withLock { state in
      let count = state.taken.prefix { $0.sequences.upperBound <= sequence }.count
      guard count > 0 else { return [] }
      var released = Array(state.taken[..<count])
      state.taken.removeFirst(count)
      // A block that is being written stays in memory until it is written.
      for index in released.indices where released[index].block != nil {
        if released[index].block == state.spilling { released[index].block = nil }
      }
      noteStored(state)
      return released
    }
  }

  /// Updates the sequence up to which all unreleased entries are on disk.
  private func noteStored(_ state: borrowing State) {
    guard holdsTaken else { return }
    var end = 0
    for taken in state.taken {
      guard taken.frame != nil else { return publishStored(end) }
      end = taken.sequences.upperBound
    }
    if let frame = state.currentFrame {
      end = frame.frame.endSequence
    } else if state.current != nil {
      return publishStored(end)
    }
    publishStored(state.frames.last?.frame.endSequence ?? end)
  }

  private func publishStored(_ end: Int) { storedThrough.max(end, ordering: .releasing) }

  /// Notes that all entries up to a sequence are on disk; called at the end.
  func noteAllStored(through sequence: Int) { if holdsTaken { publishStored(sequence) } }

  // MARK: Moving blocks to disk

  /// Claims the oldest block that neither the producer nor the consumer has; nil if there is none.
  ///
  /// - Parameter sequence: the sequence in front of which the block must begin.
  func claimForSpilling(before sequence: Int = .max) -> SpoolBlock? {
    state.withLock { state in
      guard state.spilling == nil, let oldest = state.next ?? state.current?.next(),
        let following = oldest.next(), oldest.firstSequence < sequence
      else { return nil }
      state.spilling = oldest
      state.isSpillingClaimed = false
      state.next = following
      return oldest
    }
  }

  /// Claims a block that the consumer has left and not released, and that isn't on disk, to be copied there;
  /// nil if there is none.
  ///
  /// - Parameter orIsReading: whether it may be the block that the consumer has.
  func claimForCopying(orIsReading: Bool) -> SpoolBlock? {
    state.withLock { state in
      guard holdsTaken, state.spilling == nil else { return nil }
      var block = state.taken.first { $0.frame == nil }?.block
      if block == nil, orIsReading, state.currentFrame == nil, state.current?.next() != nil {
        block = state.current
      }
      guard let block, block.publishedCount() > 0 else { return nil }
      state.spilling = block
      state.isSpillingClaimed = true
      return block
    }
  }

  /// Whether the producer's block has entries in front of a sequence, and is all that keeps them from going to disk.
  func isProducerKeeping(before sequence: Int) -> Bool {
    state.withLock { state in
      var last = state.next ?? state.current?.next() ?? state.current
      if state.currentFrame != nil, last == state.current { last = nil }
      guard let last, last.next() == nil else { return false }
      return last.firstSequence < sequence && last.publishedCount() > 0
    }
  }

  /// The result of moving or copying a block.
  enum SpillingResult {
    /// The block is on disk, behind all other frames.
    case stored(SpoolDisk.StoredFrame)
    /// The block had no entries.
    case empty
    /// The block stays in memory.
    case failed
  }

  /// Ends the claim on a block.
  ///
  /// - Returns: the block if its memory is free now, and the frame if it isn't needed because the consumer
  ///   has taken the block meanwhile.
  func endSpilling(
    _ result: SpillingResult
  ) -> (free: SpoolBlock?, unneeded: SpoolDisk.StoredFrame?) {
    state.withLock { state in
      let block = state.spilling
      state.spilling = nil
      if state.isSpillingClaimed { return endCopying(block, result, &state) }
      switch result {
      case .stored(let frame):
        state.frames.append(frame)
        noteStored(state)
        return (block, nil)
      case .empty:
        return (block, nil)
      case .failed:
        state.next = block
        return (nil, nil)
      }
    }
  }

  /// Ends the claim on a block that the consumer has or had.
  private func endCopying(
    _ block: SpoolBlock?, _ result: SpillingResult, _ state: inout State
  ) -> (free: SpoolBlock?, unneeded: SpoolDisk.StoredFrame?) {
    var frame: SpoolDisk.StoredFrame?
    if case .stored(let stored) = result { frame = stored }
    if state.current == block {
      guard holdsTaken, let frame else { return (nil, frame) }
      state.currentFrame = frame
      noteStored(state)
      return (nil, nil)
    }
    if let index = state.taken.firstIndex(where: { $0.block == block }) {
      guard let frame else { return (nil, nil) }
      state.taken[index].frame = frame
      state.taken[index].block = nil
      noteStored(state)
      return (block, nil)
    }
    return (block, frame)
  }
}
