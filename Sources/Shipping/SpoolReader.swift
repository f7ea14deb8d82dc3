import Glibc
import Synchronization

/// The consumer's end of a spool, for one thread.
public struct SpoolReader: ~Copyable, @unchecked Sendable {
  let spool: Spool
  /// What is being read: a block in memory, or the image of a frame; nil before the first.
  private var block: SpoolBlock?
  /// The frame that `block` is the image of.
  private var frame: SpoolDisk.StoredFrame?
  /// Where images of frames are made; ours, and as large as the largest of them.
  private var imageMemory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  /// How many records of this block have been taken whole.
  private var recordIndex = 0
  /// Up to where the bytes of this block have been taken, be it in the middle of a record.
  private var offset = 0
  /// Where the last record ends that has been taken whole.
  private var recordOffset = 0
  private var total = Tally.zero
  /// How often in a row the next frame could not be read.
  private var failureCount = 0

  /// A frame that can't be read is given up after so many attempts.
  private static let failureCountMax = 10

  init(_ spool: Spool) { self.spool = spool }

  deinit {
    imageMemory.deallocate()
    spool.hasConsumerEnded.store(true, ordering: .sequentiallyConsistent)
    spool.wakeProducerIfWaiting()
  }

  /// What is visible and not yet taken, up to the end of a block, or nil if there is nothing now.
  ///
  /// Valid until the next call.
  /// - Throws: `SinkError` if what comes next can't be read from the disk at present.
  public mutating func next() throws(SinkError) -> RecordBatch? {
    while true {
      if let block {
        let following = frame == nil ? block.next() : nil
        if let batch = batch(of: block) { return batch }
        // The link was read before the count, and is made after the last publication: with a link
        // and nothing beyond `recordIndex`, this block is done.
        if frame == nil, following == nil { return nil }
      }
      try moveOn()
    }
  }

  /// Takes the first bytes of the batch that `next` returned.
  /// - Returns: The records that are complete by that.
  @discardableResult
  public mutating func take(_ byteCount: Int) -> Tally {
    guard let block else { preconditionFailure("nothing was offered") }
    guard byteCount > 0, let batch = batch(of: block) else { return .zero }
    precondition(byteCount <= batch.byteCount, "more than there is")
    let records = batch.recordCount(within: byteCount)
    var completed = Tally.zero
    if records > 0 {
      let end = offset + batch.endOffset(of: records - 1)
      completed = Tally(records: records, bytes: end - recordOffset)
      recordOffset = end
      recordIndex += records
    }
    offset += byteCount
    total += completed
    spool.taken.store(total)
    spool.wakeProducerIfWaiting()
    return completed
  }

  private func batch(of block: SpoolBlock) -> RecordBatch? {
    let published = block.publishedCount()
    guard published > recordIndex else { return nil }
    return RecordBatch(
      block: block, firstRecord: recordIndex, count: published - recordIndex, startOffset: offset)
  }

  private mutating func moveOn() throws(SinkError) {
    if let frame { spool.disk?.release(frame) }
    frame = nil
    block = nil
    (recordIndex, offset, recordOffset) = (0, 0, 0)
    let (piece, free) = spool.queue.claimNext()
    if let free { spool.giveBack(free) }
    switch piece {
    case .block(let next): block = next
    case .frame(let next): try load(next)
    }
  }

  // MARK: Sleeping

  /// Whether the producer has finished; what it published before is then visible to `next`.
  public var isFinished: Bool { spool.isFinished.load(ordering: .sequentiallyConsistent) }

  /// The descriptor that becomes readable when the producer publishes to a sleeping consumer.
  var wakeDescriptor: Int32 { spool.consumerWake.descriptor }

  /// Announces that the consumer will sleep, after `next` had nothing.
  /// - Returns: False if there is something to do after all; then it must not sleep.
  func prepareToSleep() -> Bool {
    spool.isConsumerAsleep.store(true, ordering: .sequentiallyConsistent)
    let hasMore = block.map { $0.publishedCountOrdered() > recordIndex || $0.next() != nil } ?? true
    let hasWork = hasMore || isFinished
    if hasWork { spool.isConsumerAsleep.store(false, ordering: .sequentiallyConsistent) }
    return !hasWork
  }

  /// Ends a sleep, whoever has ended it.
  func wakeUp() {
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
  private mutating func load(_ stored: SpoolDisk.StoredFrame) throws(SinkError) {
    let header = stored.frame
    let byteCount = SpoolBlock.byteCount(forRecords: header.recordCount, of: header.recordBytes)
    if imageMemory.count < byteCount {
      imageMemory.deallocate()
      imageMemory = .allocate(byteCount: byteCount, alignment: 64)
    }
    guard let base = imageMemory.baseAddress else { return }
    let image = SpoolBlock(base: base)
    image.initialize(byteCount: byteCount, firstSequence: header.firstSequence)
    var isWhole = false
    do throws(SinkError) {
      isWhole = try stored.segment.readBody(of: header, at: stored.offset, into: image)
    } catch {
      failureCount += 1
      if failureCount < Self.failureCountMax {
        spool.queue.putBack(stored)
        throw error
      }
    }
    failureCount = 0
    // Of the first frame an earlier run may have delivered some already.
    let skipped = max(0, spool.heritage.delivered - header.firstSequence)
    guard isWhole, skipped < header.recordCount else {
      // Of the bytes of a frame in parts nobody knows how many were delivered.
      let lost = Tally(records: max(0, header.recordCount - skipped), bytes: header.recordBytes)
      spool.noteDamage(lost, in: stored)
      spool.disk?.release(stored)
      return
    }
    image.publish(count: header.recordCount)
    block = image
    frame = stored
    recordIndex = skipped
    offset = skipped == 0 ? 0 : image.endOffset(ofRecord: skipped - 1)
    recordOffset = offset
  }

  private func restOfBlock(_ block: SpoolBlock) -> Tally {
    let count = block.publishedCount()
    guard count > recordIndex else { return .zero }
    return Tally(
      records: count - recordIndex, bytes: block.endOffset(ofRecord: count - 1) - recordOffset)
  }

  /// Which record comes next; nil before the first.
  private var sequence: Int? { block.map { $0.firstSequence + recordIndex } }

  /// Notes on disk, if there is something on it, how far records have been delivered.
  func noteDelivered() throws(SinkError) {
    guard let disk = spool.disk, let sequence else { return }
    try disk.note(delivered: sequence)
  }

  /// Puts everything on disk that hasn't been taken, for the next run; the producer has finished, and nobody
  /// else moves blocks.
  ///
  /// - Throws: `SinkError` if some of it could not be put there; what could is kept.
  mutating func keepRest() throws(SinkError) {
    guard let disk = spool.disk else { return }
    let frames = spool.queue.frames
    var segments = frames.map(\.segment)
    var kept = frames.reduce(Tally.zero) { $0 + $1.frame.tally(behind: spool.heritage.delivered) }
    defer { spool.kept.store(kept) }
    if let block, let frame {
      kept += restOfBlock(block)
      segments.append(frame.segment)
    }
    var next = frame == nil ? block ?? spool.queue.firstUnclaimed : spool.queue.firstUnclaimed
    while let block = next {
      next = block.next()
      let body = block.body
      let rest =
        block == self.block
        ? restOfBlock(block) : Tally(records: body.recordCount, bytes: body.records.count)
      guard rest.records > 0 else { continue }
      let header = SpoolFrame(body, firstSequence: block.firstSequence)
      guard !disk.isFull(for: header) else {
        throw SinkError(target: disk.options.directory, operation: "keep", errno: Errno(EDQUOT))
      }
      segments.append(try disk.append(header, body).segment)
      kept += rest
    }
    guard kept.records > 0 else { return }
    if let sequence { try disk.note(finallyDelivered: sequence) }
    try disk.synchronize(segments)
  }
}
