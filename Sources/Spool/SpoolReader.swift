public import Platform
import Glibc
import Synchronization

/// The consumer's end of a spool, for one thread.
public struct SpoolReader: ~Copyable, @unchecked Sendable {
  package let spool: Spool
  /// What is being read: a block in memory, or the image of a frame; nil before the first.
  private var block: SpoolBlock?
  /// The frame that `block` is the image of.
  private var frame: SpoolDisk.StoredFrame?
  private var image = SpoolImage()
  /// How many entries of this block have been taken whole.
  private var entryIndex = 0
  /// Up to where the bytes of this block have been taken, be it in the middle of an entry.
  private var offset = 0
  /// Where the last entry ends that has been taken whole.
  private var entryOffset = 0
  private var total = Tally.zero
  /// Which entry comes next; all in front of it have been taken, or are lost.
  private var position: Int
  /// In front of which sequence everything that was taken is settled; nil if all of it is.
  private var settledThrough: Int?
  /// In front of which sequence it is noted elsewhere that everything is settled; nil if nothing is noted there.
  private var notedThrough: Int?
  /// How often in a row the next frame could not be read.
  private var failureCount = 0

  /// A frame that can't be read is given up after so many attempts.
  private static let failureCountMax = 10

  package init(_ spool: Spool) {
    self.spool = spool
    position = spool.startSequence
  }

  deinit { leave() }

  /// Says that nothing more will be taken; a producer that waits for room waits no longer.
  package func leave() { spool.endWaiting() }

  /// What is visible and not yet taken, up to the end of a block, or nil if there is nothing now.
  ///
  /// Valid until the next call.
  /// - Throws: `SystemError` if what comes next can't be read from the disk at present.
  public mutating func next() throws(SystemError) -> EntryBatch? {
    while true {
      if let block {
        let following = frame == nil ? block.next() : nil
        if let batch = batch(of: block) { return batch }
        // The link was read before the count, and is made after the last publication: with a link
        // and nothing beyond `entryIndex`, this block is done.
        if frame == nil, following == nil { return nil }
      }
      try moveOn()
    }
  }

  /// Takes the first bytes of the batch that `next` returned.
  /// - Returns: The entries that are complete by that.
  @discardableResult
  public mutating func take(_ byteCount: Int) -> Tally {
    guard let block else { preconditionFailure("nothing was offered") }
    guard byteCount > 0, let batch = batch(of: block) else { return .zero }
    precondition(byteCount <= batch.byteCount, "more than there is")
    let entries = batch.entryCount(within: byteCount)
    var completed = Tally.zero
    if entries > 0 {
      let end = offset + batch.endOffset(of: entries - 1)
      completed = Tally(entries: entries, bytes: end - entryOffset)
      entryOffset = end
      entryIndex += entries
      position = block.firstSequence + entryIndex
    }
    offset += byteCount
    total += completed
    spool.taken.store(total)
    spool.wakeProducerIfWaiting()
    return completed
  }

  /// Behind the last entry that was taken whole.
  package var place: SpoolPlace { SpoolPlace(sequence: position, read: total) }

  private func batch(of block: SpoolBlock) -> EntryBatch? {
    let published = block.publishedCount()
    guard published > entryIndex else { return nil }
    return EntryBatch(
      block: block, firstEntry: entryIndex, count: published - entryIndex, startOffset: offset,
      start: SpoolPlace(
        sequence: position, read: Tally(entries: total.entries, bytes: total.bytes + offset - entryOffset)))
  }

  private mutating func moveOn() throws(SystemError) {
    frame = nil
    block = nil
    (entryIndex, offset, entryOffset) = (0, 0, 0)
    let (piece, free) = spool.queue.claimNext()
    if let free { spool.giveBack(free) }
    releaseDelivered()
    switch piece {
    case .block(let next):
      block = next
      position = next.firstSequence
    case .frame(let next): try load(next)
    }
  }

  // MARK: Sleeping

  /// Whether the producer has finished; what it published before is then visible to `next`.
  public var isFinished: Bool { spool.isFinished.load(ordering: .sequentiallyConsistent) }

  /// The descriptor that becomes readable when the producer publishes to a sleeping consumer.
  package var wakeDescriptor: Int32 { spool.consumerWake.descriptor }

  /// Announces that the consumer will sleep, after `next` had nothing.
  /// - Returns: False if there is something to do after all; then it must not sleep.
  package func prepareToSleep() -> Bool {
    spool.isConsumerAsleep.store(true, ordering: .sequentiallyConsistent)
    let hasMore = block.map { $0.publishedCountOrdered() > entryIndex || $0.next() != nil } ?? true
    let hasWork = hasMore || isFinished
    if hasWork { spool.isConsumerAsleep.store(false, ordering: .sequentiallyConsistent) }
    return !hasWork
  }

  /// Says that the consumer is awake, independent of what woke it.
  package func wakeUp() {
    spool.isConsumerAsleep.store(false, ordering: .sequentiallyConsistent)
    spool.consumerWake.clear()
    spool.prepareMemory()
  }
}

// MARK: - Disk

extension SpoolReader {
  /// Reads a frame into memory of our own, where it looks like a block.
  ///
  /// One that is damaged, or can't be read however often that is tried, is counted and passed over.
  private mutating func load(_ stored: SpoolDisk.StoredFrame) throws(SystemError) {
    var whole: SpoolBlock?
    do throws(SystemError) {
      whole = try image.load(stored)
    } catch {
      failureCount += 1
      if failureCount < Self.failureCountMax {
        spool.queue.putBack(stored)
        throw error
      }
    }
    failureCount = 0
    guard let whole else {
      spool.noteDamage(stored)
      spool.queue.dropCurrent()
      spool.disk?.release(stored)
      position = stored.frame.endSequence
      return
    }
    block = whole
    frame = stored
    entryIndex = stored.delivered.entries
    offset = entryIndex == 0 ? 0 : whole.endOffset(ofEntry: entryIndex - 1)
    entryOffset = offset
    position = whole.firstSequence + entryIndex
  }

  private func restOfBlock(_ block: SpoolBlock) -> Tally {
    let count = block.publishedCount()
    guard count > entryIndex else { return .zero }
    return Tally(
      entries: count - entryIndex, bytes: block.endOffset(ofEntry: count - 1) - entryOffset)
  }

  /// Says in front of which sequence everything that was taken is settled; nil if all of it is.
  ///
  /// What isn't stays on disk, if it is there, and doesn't count as delivered.
  ///
  /// - Parameter noted: in front of which sequence that is noted where another run looks first; what is on disk behind it
  ///   stays there. Nil if it isn't noted anywhere else.
  package mutating func settle(through sequence: Int?, noted: Int? = nil) {
    settledThrough = sequence
    notedThrough = noted
    releaseDelivered()
  }

  /// Says that more is noted than when something was settled.
  package mutating func settle(noted: Int) {
    notedThrough = noted
    releaseDelivered()
  }

  /// In front of which entry everything has arrived, and that is noted.
  private var deliveredEnd: Int { min(settledThrough ?? position, notedThrough ?? .max) }

  private func releaseDelivered() {
    guard let disk = spool.disk else { return }
    for taken in spool.queue.release(through: deliveredEnd) {
      if let frame = taken.frame { disk.release(frame) }
      if let block = taken.block { spool.giveBack(block) }
    }
  }

  /// Notes on disk, if there is something on it, how far entries have been delivered.
  package func noteDelivered() throws(SystemError) { try spool.disk?.note(delivered: deliveredEnd) }

  /// Puts on disk, if there is one, what hasn't been delivered when an output has ended or hangs, and says what
  /// can't be.
  ///
  /// - Parameter unsettled: the entries that the output took last and that aren't settled, if they can be had.
  package mutating func keepRest(
    _ unsettled: @autoclosure () -> [EntryRun]?, warn: (String) -> Void
  ) {
    guard let disk = spool.disk else { return }
    guard spool.stopSpiller() else {
      return warn(
        "\(disk.options.directory): hangs; \(disk.options.content.nouns.plural) that weren't delivered and aren't there are lost"
      )
    }
    do {
      try keepRest(unsettled() ?? [])
    } catch {
      warn("\(error); not all \(disk.options.content.nouns.plural) that weren't delivered are kept")
    }
  }

  /// Puts everything on disk that hasn't been delivered, for the next run; the producer has finished, and the
  /// spiller doesn't run.
  ///
  /// - Parameter unsettled: the entries that were taken last and aren't settled, if they can be had. Between them others
  ///   may be missing, which were damaged or given up.
  /// - Throws: `SystemError` if some of it could not be put there; what could is kept.
  package func keepRest(_ unsettled: [EntryRun] = []) throws(SystemError) {
    guard let disk = spool.disk else { return }
    var keeper = SpoolKeeper(disk)
    let delivered = unsettled.first?.firstSequence ?? position
    var unsettled = EntryRuns(unsettled)
    // What of these is on disk, in memory or in the block that is being read stays there.
    for taken in spool.queue.taken {
      keeper.keep(unsettled.take(before: taken.sequences.lowerBound))
      let rest = Self.tally(unsettled.take(before: taken.sequences.upperBound))
      if let frame = taken.frame { keeper.keep(frame, rest: rest) }
      if let block = taken.block { keeper.keep(block, rest: rest) }
    }
    keeper.keep(unsettled.take(before: block?.firstSequence ?? position))
    if let block {
      let rest = restOfBlock(block) + Self.tally(unsettled.take(before: position))
      if let frame = spool.queue.currentFrame {
        keeper.keep(frame, rest: rest)
      } else {
        keeper.keep(block, rest: rest)
      }
    }
    for frame in spool.queue.frames { keeper.keep(frame, rest: frame.rest) }
    // Blocks between the one that was being read and this one may be on disk, and no memory any more.
    var following = spool.queue.firstUnclaimed
    while let block = following {
      let body = block.body
      unsafe keeper.keep(block, rest: Tally(entries: body.entryCount, bytes: body.entries.count))
      following = block.next()
    }
    spool.kept.store(keeper.kept)
    try keeper.finish(delivered: delivered)
    if delivered <= settledThrough ?? position {
      spool.queue.noteAllStored(through: spool.newSequence + spool.committed.value.entries)
    }
  }

  private static func tally(_ pieces: [EntryRuns.Piece]) -> Tally {
    pieces.reduce(.zero) { $0 + $1.tally }
  }
}
