import VarnishLog

/// Prefetching the memory of transactions that will be needed next, if very many are open.
///
/// With 100,000 open transactions, each further piece of one waits for the memory three times: for the
/// transaction's place in the table, its slot and its records. The next piece's number is known a piece ahead,
/// so that the first two are there when it comes; the records are fetched while the piece is looked at.
extension Grouper {
  /// From how many open transactions on it pays to prefetch; fewer are in the processor's caches.
  static var crowd: Int { 2048 }

  /// Has the processor fetch what is stored of a transaction, if it is open, and where the number of the next one
  /// stands in the table.
  @_specialize(exported:true,where Layout == NarrowRecords)
  @_specialize(exported:true,where Layout == WideRecords)
  public mutating func prefetchRecords(of vxid: UInt64, andPlaceOf upcoming: UInt64) {
    table.prefetch(upcoming)
    guard let index = table[vxid] else { return }
    slots[index].store.prefetch()
    incomplete.prefetchNeighbours(of: index)
  }

  /// Has the processor fetch the slot of a transaction, if it is open.
  @_specialize(exported:true,where Layout == NarrowRecords)
  @_specialize(exported:true,where Layout == WideRecords)
  public mutating func prefetchTransaction(_ vxid: UInt64) {
    guard let index = table[vxid] else { return }
    slots.prefetch(index)
    incomplete.prefetch(index)
  }
}
