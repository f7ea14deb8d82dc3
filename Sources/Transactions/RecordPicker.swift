public import VarnishLog

/// Picks out, in one walk over a transaction, the records that queries and lines depend on, so that none of them has to
/// walk over all of them again.
///
/// It does for transactions that arrived in pieces what the source has done for those that arrived whole.
public struct RecordPicker<Layout: RecordLayout>: ~Copyable {
  private let table: PickTable
  private let list = PickList<Layout>()

  /// Prepares to pick what is wished.
  public init(_ wish: PickWish) { table = PickTable(wish) }

  deinit {
    table.deallocate()
    list.deallocate()
  }

  /// Walks over a transaction.
  ///
  /// - Returns: what was picked out of it, valid until the next call; nil if it may have too many records.
  @specialized(where Layout == NarrowRecords)
  @specialized(where Layout == WideRecords)
  public mutating func pick(_ transaction: Transaction<Layout>) -> PickedRecords<Layout>? {
    let byteCount = transaction.stored.byteCount + transaction.inPlace.byteCount
    guard byteCount / Layout.headerByteCount <= PickList<Layout>.capacity else { return nil }
    var count = 0
    var cursor = transaction.makeCursor()
    while let record = cursor.next() {
      guard table.mayPick(table.code(record.tag)) else { continue }
      count = list.put(record, at: count)
    }
    return list.picked(count)
  }
}
