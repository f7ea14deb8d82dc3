public import VarnishLog

/// Picks out, in one walk over a transaction, the records that a query and those that a line depend on, so
/// that neither has to walk over all of them again.
///
/// Most records are wanted by nobody, and which are is told by their tags alone. They are kept with the
/// header word they were found with: the memory they lie in may change, and a second look at the length
/// could find another one.
@safe public struct RecordCaptures: ~Copyable {
  // Invariant: both lists have room for `countMax` records, and no walk looks at more.

  private let uses: UnsafeMutablePointer<UInt8>
  private let lists: (query: UnsafeMutableRawPointer, line: UnsafeMutableRawPointer)

  private static let queryUse: UInt8 = 1
  private static let lineUse: UInt8 = 2
  /// Transactions that may have more records are walked over by each of those who want some.
  private static let countMax = 16 << 10
  private static let recordStride = MemoryLayout<Record<WideRecords>>.stride

  /// Makes room for the records of these tags.
  public init(query: TagSet, line: TagSet) {
    precondition(MemoryLayout<Record<NarrowRecords>>.stride == Self.recordStride)
    unsafe uses = .allocate(capacity: 256)
    for number in UInt8.min...UInt8.max {
      let use =
        (query.contains(number) ? Self.queryUse : 0) | (line.contains(number) ? Self.lineUse : 0)
      unsafe (uses + Int(number)).initialize(to: use)
    }
    let byteCount = Self.countMax * Self.recordStride
    unsafe lists = (
      .allocate(byteCount: byteCount, alignment: 16), .allocate(byteCount: byteCount, alignment: 16)
    )
  }

  deinit {
    unsafe uses.deallocate()
    unsafe lists.query.deallocate()
    unsafe lists.line.deallocate()
  }

  /// Walks over a transaction.
  ///
  /// - Returns: what was wanted of it, valid until the next call; nil if it may have too many records.
  @specialized(where Layout == NarrowRecords)
  @specialized(where Layout == WideRecords)
  public mutating func capture<Layout: RecordLayout>(
    _ transaction: Transaction<Layout>
  ) -> CapturedRecords<Layout>? {
    let byteCount = transaction.stored.byteCount + transaction.inPlace.byteCount
    guard byteCount / Layout.headerByteCount <= Self.countMax else { return nil }
    let query = unsafe lists.query.bindMemory(to: Record<Layout>.self, capacity: Self.countMax)
    let line = unsafe lists.line.bindMemory(to: Record<Layout>.self, capacity: Self.countMax)
    var queryCount = 0
    var lineCount = 0
    var cursor = transaction.makeCursor()
    while let record = cursor.next() {
      // Written either way and counted if it is wanted: there is nothing to predict.
      let use = unsafe uses[Int(record.tag)]
      unsafe (query + queryCount).initialize(to: record)
      queryCount &+= Int(use & Self.queryUse)
      unsafe (line + lineCount).initialize(to: record)
      lineCount &+= Int(use >> 1)
    }
    return unsafe CapturedRecords(
      query: UnsafeBufferPointer(start: query, count: queryCount),
      line: UnsafeBufferPointer(start: line, count: lineCount))
  }
}

/// The records of one transaction that somebody depends on, in the order in which they were logged.
@safe public struct CapturedRecords<Layout: RecordLayout> {
  /// What a query depends on.
  public let query: UnsafeBufferPointer<Record<Layout>>
  /// What a line depends on.
  public let line: UnsafeBufferPointer<Record<Layout>>
}
