import Platform

/// What lies between the producer and the consumer: frames on disk, then blocks in memory, the oldest first.
///
/// The producer appends blocks by linking them to one another and never comes here. The consumer claims one
/// after the other; whoever moves blocks to disk claims one of those that the producer has left. These two
/// share a lock, never held during a system call.
package final class SpoolQueue: Sendable {
  /// What the consumer reads next.
  enum Piece {
    case block(SpoolBlock)
    case frame(SpoolDisk.StoredFrame)
  }

  private struct State {
    var frames: StoredFrameQueue
    /// The oldest block in memory that nobody has claimed; nil if it is the one behind `current`.
    var next: SpoolBlock?
    /// The block that the consumer has.
    var current: SpoolBlock?
    /// The block that is being written to disk.
    var spilling: SpoolBlock?
    /// Whether the consumer has come by meanwhile and taken that.
    var isSpillingClaimed = false
    /// Whether it is through with it, too.
    var isSpillingLeft = false
  }

  private let state: Guarded<State>

  init(first: SpoolBlock, frames: [SpoolDisk.StoredFrame]) {
    state = Guarded(State(frames: StoredFrameQueue(frames), next: first))
  }

  /// What is on disk and nobody has claimed.
  package var frames: [SpoolDisk.StoredFrame] { state.withLock { $0.frames.all } }

  /// The oldest block in memory that nobody has claimed.
  var firstUnclaimed: SpoolBlock? { state.withLock { $0.next ?? $0.current?.next() } }

  // MARK: The consumer

  /// Claims what comes next; if a block was claimed before, there must be one behind it.
  ///
  /// - Returns: the piece, and the block that was claimed before if its memory is free now.
  func claimNext() -> (piece: Piece, free: SpoolBlock?) {
    state.withLock { state in
      var free: SpoolBlock?
      if let current = state.current {
        state.next = state.next ?? current.next()
        state.current = nil
        if state.spilling == current { state.isSpillingLeft = true } else { free = current }
      }
      if let frame = state.frames.popFirst() { return (.frame(frame), free) }
      if let spilling = state.spilling, !state.isSpillingClaimed {
        state.isSpillingClaimed = true
        // Whoever writes it has moved `next` on already.
        state.current = spilling
        return (.block(spilling), free)
      }
      guard let next = state.next else { preconditionFailure("a block was left that nothing follows") }
      state.current = next
      state.next = nil
      return (.block(next), free)
    }
  }

  /// Puts a frame back that could not be read yet.
  func putBack(_ frame: SpoolDisk.StoredFrame) { state.withLock { $0.frames.putBack(frame) } }

  // MARK: Moving blocks to disk

  /// Claims the oldest block that neither the producer nor the consumer has; nil if there is none.
  func claimForSpilling() -> SpoolBlock? {
    state.withLock { state in
      guard state.spilling == nil, let oldest = state.next ?? state.current?.next(),
        let following = oldest.next()
      else { return nil }
      state.spilling = oldest
      state.isSpillingClaimed = false
      state.isSpillingLeft = false
      state.next = following
      return oldest
    }
  }

  /// What came of an attempt to move a block.
  enum SpillingResult {
    /// It is on disk, behind all frames there are.
    case stored(SpoolDisk.StoredFrame)
    /// There was nothing in it.
    case empty
    /// It stays where it is.
    case failed
  }

  /// Ends the claim on a block.
  ///
  /// - Returns: the block if its memory is free now, and the frame if it isn't needed because the consumer
  ///   has come by.
  func endSpilling(
    _ result: SpillingResult
  ) -> (free: SpoolBlock?, unneeded: SpoolDisk.StoredFrame?) {
    state.withLock { state in
      let block = state.spilling
      state.spilling = nil
      switch result {
      case .stored(let frame) where state.isSpillingClaimed:
        return (state.isSpillingLeft ? block : nil, frame)
      case _ where state.isSpillingClaimed:
        return (state.isSpillingLeft ? block : nil, nil)
      case .stored(let frame):
        state.frames.append(frame)
        return (block, nil)
      case .empty:
        return (block, nil)
      case .failed:
        state.next = block
        return (nil, nil)
      }
    }
  }
}
