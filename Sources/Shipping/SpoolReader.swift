import Synchronization

/// The consumer's end of a spool, for one thread.
public struct SpoolReader: ~Copyable, @unchecked Sendable {
  private let spool: Spool
  private var block: SpoolBlock
  /// How many records of this block have been taken whole.
  private var recordIndex = 0
  /// Up to where the bytes of this block have been taken, be it in the middle of a record.
  private var offset = 0
  /// Where the last record ends that has been taken whole.
  private var recordOffset = 0
  private var total = Tally.zero

  init(_ spool: Spool) {
    guard let first = SpoolBlock(address: spool.head.load(ordering: .acquiring)) else {
      preconditionFailure("a spool always holds a block")
    }
    self.spool = spool
    block = first
  }

  deinit {
    spool.hasConsumerEnded.store(true, ordering: .sequentiallyConsistent)
    spool.wakeProducerIfWaiting()
  }

  /// What is visible and not yet taken, up to the end of a block, or nil if there is nothing now.
  ///
  /// Valid until the next call.
  public mutating func next() -> RecordBatch? {
    while true {
      let following = block.next()
      let published = block.publishedCount()
      if published > recordIndex {
        return RecordBatch(
          block: block, firstRecord: recordIndex, count: published - recordIndex,
          startOffset: offset)
      }
      // The link was read before the count, and is made after the last publication: with a link
      // and nothing beyond `recordIndex`, this block is done.
      guard let following else { return nil }
      spool.head.store(following.address, ordering: .releasing)
      spool.giveBack(block)
      spool.wakeProducerIfWaiting()
      block = following
      recordIndex = 0
      offset = 0
      recordOffset = 0
    }
  }

  /// Takes the first bytes of the batch that `next` returned.
  /// - Returns: The records that are complete by that.
  @discardableResult
  public mutating func take(_ byteCount: Int) -> Tally {
    let batch = RecordBatch(
      block: block, firstRecord: recordIndex, count: block.publishedCount() - recordIndex,
      startOffset: offset)
    precondition(byteCount >= 0 && byteCount <= batch.byteCount, "more than there is")
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

  /// Whether the producer has finished; what it published before is then visible to `next`.
  public var isFinished: Bool { spool.isFinished.load(ordering: .sequentiallyConsistent) }

  /// The descriptor that becomes readable when the producer publishes to a sleeping consumer.
  var wakeDescriptor: Int32 { spool.consumerWake.descriptor }

  /// Announces that the consumer will sleep.
  /// - Returns: False if there is something to do after all; then it must not sleep.
  func prepareToSleep() -> Bool {
    spool.isConsumerAsleep.store(true, ordering: .sequentiallyConsistent)
    let hasWork = block.publishedCountOrdered() > recordIndex || block.next() != nil || isFinished
    if hasWork { spool.isConsumerAsleep.store(false, ordering: .sequentiallyConsistent) }
    return !hasWork
  }

  /// Ends a sleep, whoever has ended it.
  func wakeUp() {
    spool.isConsumerAsleep.store(false, ordering: .sequentiallyConsistent)
    spool.consumerWake.clear()
  }
}
