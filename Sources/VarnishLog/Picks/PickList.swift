/// Memory for the records that were picked out of one transaction, each with the header word that it was found with:
/// the memory that they lie in may change, and a second look at a length could find another one.
///
/// Owned by its maker, which calls `deallocate`.
@safe public struct PickList<Layout: RecordLayout> {
  // Invariant: there is room for `capacity` records, and an index is compared with that, or follows from a length that
  // was, before it is used.

  @usableFromInline package let memory: UnsafeMutablePointer<Record<Layout>>

  /// Transactions that may have more records are walked over instead.
  @inlinable package static var capacity: Int { 16 << 10 }

  /// Makes room.
  public init() { unsafe memory = .allocate(capacity: Self.capacity) }

  /// Gives the memory back.
  public func deallocate() { unsafe memory.deallocate() }

  /// Puts a record in at a place, unless there is no room.
  ///
  /// - Returns: the next place.
  @inlinable
  package func put(_ record: Record<Layout>, at index: Int) -> Int {
    guard index >= 0 && index < Self.capacity else { return index }
    unsafe (memory + index).initialize(to: record)
    return index &+ 1
  }

  /// The first records.
  ///
  /// - Precondition: at least `count` records have been put in.
  @inlinable
  package func picked(_ count: Int) -> PickedRecords<Layout> {
    unsafe PickedRecords(UnsafeBufferPointer(start: memory, count: count))
  }
}

/// The records that were picked out of one transaction, in the order in which they were logged.
@frozen @safe
public struct PickedRecords<Layout: RecordLayout> {
  /// Valid as long as the transaction is.
  public let records: UnsafeBufferPointer<Record<Layout>>

  @inlinable
  package init(_ records: UnsafeBufferPointer<Record<Layout>>) { unsafe self.records = unsafe records }
}
