public import Platform
import Glibc
import Synchronization

/// The consumer's end of a spool, for one thread.
public struct SpoolReader: ~Copyable, @unchecked Sendable {
  package let spool: Spool
  /// The block that is being read, in memory or the image of a frame; nil before the first.
  private var block: SpoolBlock?
  /// The frame that `block` is the image of.
  private var frame: SpoolDisk.StoredFrame?
  private var image = SpoolImage()
  /// How many entries of this block have been taken whole.
  private var entryIndex = 0
  /// The offset up to which the bytes of the block have been taken, possibly inside an entry.
  private var offset = 0
  /// The offset at which the last entry ends that has been taken whole.
  private var entryOffset = 0
  private var total = Tally.zero
  /// The sequence of the next entry; all in front of it have been taken, or are lost.
  private var position: Int
  /// The sequence in front of which all taken entries are settled; nil if all taken entries are.
  private var settledThrough: Int?
  /// The sequence in front of which the checkpoint has all entries settled; nil if there is no checkpoint.
  private var notedThrough: Int?
  /// How often in a row the next frame could not be read.
  private var failureCount = 0

  /// After this many attempts, a frame that can't be read is given up.
  private static let failureCountMax = 10

  package init(_ spool: Spool) {
    self.spool = spool
    position = spool.startSequence
  }

  deinit { leave() }

  /// Announces that no more entries will be taken; a producer that waits for room stops waiting.
  package func leave() { spool.endWaiting() }

  /// The next entries that are published and not yet taken, up to the end of a block; nil if there are none
  /// now.
  ///
  /// The batch is valid until the next call.
  /// - Throws: `SystemError` if the next entries can't be read from the disk at present.
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

  /// The place behind the last entry that was taken whole.
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

  /// Whether the producer has finished; the entries that it published before are then visible to `next`.
  public var isFinished: Bool { spool.isFinished.load(ordering: .sequentiallyConsistent) }

  /// The descriptor that becomes readable when the producer publishes to a sleeping consumer.
  package var wakeDescriptor: Int32 { spool.consumerWake.descriptor }

  /// Announces that the consumer will sleep, after `next` had nothing.
  /// - Returns: False if there is something to do after all; then the consumer must not sleep.
  package func prepareToSleep() -> Bool {
    spool.isConsumerAsleep.store(true, ordering: .sequentiallyConsistent)
    let hasMore = block.map { $0.publishedCountOrdered() > entryIndex || $0.next() != nil } ?? true
    let hasWork = hasMore || isFinished
    if hasWork { spool.isConsumerAsleep.store(false, ordering: .sequentiallyConsistent) }
    return !hasWork
  }

  /// Announces that the consumer is awake, for any reason.
  package func wakeUp() {
    spool.isConsumerAsleep.store(false, ordering: .sequentiallyConsistent)
    spool.consumerWake.clear()
    spool.prepareMemory()
  }
}

// MARK: - Disk

extension SpoolReader {
  /// Reads a frame into private memory, in the form of a block.
  ///
  /// A frame that is damaged, or can't be read in repeated attempts, is counted and skipped.
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

  /// Sets the sequence in front of which all taken entries are settled; nil if all taken entries are.
  ///
  /// Entries behind it stay on disk, if they are there, and don't count as delivered.
  ///
  /// - Parameter noted: the sequence in front of which the checkpoint, where another run looks first, has
  ///   entries settled; entries on disk behind it stay there. Nil if there is no checkpoint.
  package mutating func settle(through sequence: Int?, noted: Int? = nil) {
    settledThrough = sequence
    notedThrough = noted
    releaseDelivered()
  }

  /// Takes over that the checkpoint has more entries settled than at the last call.
  package mutating func settle(noted: Int) {
    notedThrough = noted
    releaseDelivered()
  }

  /// The sequence in front of which all entries are settled, and noted as such.
  private var deliveredEnd: Int { min(settledThrough ?? position, notedThrough ?? .max) }

  private func releaseDelivered() {
    guard let disk = spool.disk else { return }
    for taken in spool.queue.release(through: deliveredEnd) {
      if let frame = taken.frame { disk.release(frame) }
      if let block = taken.block { spool.giveBack(block) }
    }
  }

  /// Notes in the disk's cursor, if needed, how far entries have been delivered.
  package func noteDelivered() throws(SystemError) { try spool.disk?.note(delivered: deliveredEnd) }

  /// Puts undelivered entries on disk, if there is one, when an output has ended or hangs, and reports
  /// entries that can't be put there.
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

  /// Puts all undelivered entries on disk for the next run; the producer must have finished, and the spiller
  /// must have stopped.
  ///
  /// - Parameter unsettled: the entries that were taken last and aren't settled, if they can be had. Others
  ///   between them may be missing, which were damaged or given up.
  /// - Throws: `SystemError` if some entries could not be put there; the others are kept.
  package func keepRest(_ unsettled: [EntryRun] = []) throws(SystemError) {
    guard let disk = spool.disk else { return }
    var keeper = SpoolKeeper(disk)
    let delivered = unsettled.first?.firstSequence ?? position
    var unsettled = EntryRuns(unsettled)
    // Unsettled entries that are on disk, in memory or in the block that is being read are kept from there.
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
    // Blocks between the one that was being read and this one may be on disk, and no longer in memory.
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
