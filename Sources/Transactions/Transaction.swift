public import VarnishLog

/// A finished transaction, valid until the grouper is asked for the next group.
public struct Transaction<Layout: RecordLayout> {
  /// The transaction's number.
  public let vxid: UInt64
  /// The number its `Begin` named as its parent; 0 if none.
  public let parentVXID: UInt64
  /// How deep it stands in its group; 1 for the root.
  public let level: Int
  /// Where its first record begins, as in `LogPosition`; of one that was only named by a relative, where what
  /// named it begins.
  public let firstPlace: UInt64
  /// Where its last record ends.
  public let endPlace: UInt64

  // Records that came in earlier pieces, then those that lie where the source has them.
  @usableFromInline let stored: RecordCursor<Layout>
  @usableFromInline let inPlace: RecordCursor<Layout>
  /// What the source has picked out of the records in `inPlace`; nil if it has picked nothing.
  @usableFromInline let picked: PickedRecords<Layout>?

  // These are last, where they fill a gap: values larger than 128 bytes are copied by a call.

  /// What it is about.
  public let type: TransactionType
  /// Why it was begun.
  public let reason: TransactionReason
  /// The side that its `Begin` is marked with.
  public let side: Side
  /// Whether it had to be ended before it ended itself.
  public let isForced: Bool

  @inlinable
  init(
    vxid: UInt64, parentVXID: UInt64, type: TransactionType, reason: TransactionReason, side: Side,
    level: Int, isForced: Bool, firstPlace: UInt64, endPlace: UInt64, stored: RecordRun<Layout>,
    inPlace: RecordRun<Layout>, picked: PickedRecords<Layout>?
  ) {
    self.vxid = vxid
    self.parentVXID = parentVXID
    self.type = type
    self.reason = reason
    self.side = side
    self.level = level
    self.isForced = isForced
    self.firstPlace = firstPlace
    self.endPlace = endPlace
    self.stored = stored.makeCursor()
    self.inPlace = inPlace.makeCursor()
    self.picked = picked
  }

  /// Calls a closure for records in the order in which they were logged: those that queries and lines depend
  /// on, and others where nothing was picked out.
  ///
  /// - Parameter body: returns whether to go on.
  /// - Returns: false if `body` has returned false.
  @inlinable @inline(__always)
  public func forEachPicked(_ body: (Record<Layout>) -> Bool) -> Bool {
    var cursor = stored
    while let record = cursor.next() { guard body(record) else { return false } }
    if let picked {
      let records = unsafe picked.records
      for index in records.indices { guard unsafe body(records[index]) else { return false } }
    } else {
      cursor = inPlace
      while let record = cursor.next() { guard body(record) else { return false } }
    }
    return true
  }

  /// A cursor over all records that there are, in the order in which they were logged.
  @inlinable
  public func makeCursor() -> Cursor {
    Cursor(current: stored, following: inPlace)
  }

  /// Walks a transaction's records.
  public struct Cursor {
    @usableFromInline var current: RecordCursor<Layout>
    @usableFromInline var following: RecordCursor<Layout>?

    @inlinable
    init(current: RecordCursor<Layout>, following: RecordCursor<Layout>) {
      self.current = current
      self.following = following
    }

    /// The next record; nil at the end.
    @inlinable
    public mutating func next() -> Record<Layout>? {
      if let record = current.next() { return record }
      guard let following else { return nil }
      current = following
      self.following = nil
      return current.next()
    }
  }
}

/// A transaction or a tree of them, which is selected, counted and rendered as a whole: the root first, then
/// breadth first.
@safe public struct TransactionGroup<Layout: RecordLayout> {
  @usableFromInline let members: UnsafeBufferPointer<Transaction<Layout>>
  /// The place of the log behind which the group was complete.
  ///
  /// That depends on nothing but the log, unless something was ended by force.
  public let completionPlace: UInt64

  @inlinable
  init(_ members: UnsafeBufferPointer<Transaction<Layout>>, completionPlace: UInt64) {
    unsafe self.members = members
    self.completionPlace = completionPlace
  }

  /// Calls a closure with a record as a group of its own, as the grouping `raw` takes it: at level 0, of no
  /// type.
  ///
  /// - Parameter place: where in its log the record begins.
  @inlinable
  public static func withRecord<Result>(
    _ record: Record<Layout>, at place: UInt64 = 0, _ body: (TransactionGroup) -> Result
  ) -> Result {
    let run = unsafe RecordRun<Layout>(start: record.address, byteCount: record.bytes.count, place: place)
    let transaction = Transaction<Layout>(
      vxid: record.vxid, parentVXID: 0, type: .unknown, reason: .other, side: record.side, level: 0,
      isForced: false, firstPlace: run.place, endPlace: run.endPlace, stored: .empty, inPlace: run,
      picked: nil)
    return unsafe withUnsafePointer(to: transaction) { pointer in
      unsafe body(
        TransactionGroup(UnsafeBufferPointer(start: pointer, count: 1), completionPlace: run.endPlace))
    }
  }

  /// How many transactions there are; at least one.
  @inlinable public var count: Int { unsafe members.count }

  /// The transaction at a position.
  @inlinable public subscript(index: Int) -> Transaction<Layout> { unsafe members[index] }

  /// Whether one of them was ended by force.
  @inlinable public var containsForced: Bool { unsafe members.contains { $0.isForced } }

  /// Where the first record of any of them begins.
  public var firstPlace: UInt64 { unsafe members.reduce(.max) { min($0, $1.firstPlace) } }

  /// Where the last record of any of them ends.
  public var endPlace: UInt64 { unsafe members.reduce(0) { max($0, $1.endPlace) } }
}
