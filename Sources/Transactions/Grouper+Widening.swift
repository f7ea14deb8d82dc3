public import VarnishLog

/// Keeping more records while transactions are under way.
extension Grouper {
  /// The records that survive until a group is finished.
  public var kept: PickWish { options.kept }

  /// How many transactions are under way.
  public var openCount: Int { outstanding }

  /// Keeps other records, too, from now on; transactions under way lack those of them that came before.
  public mutating func keep(_ more: PickWish) {
    guard !options.kept.contains(more) else { return }
    options.kept.formUnion(more)
    keepsAll = options.kept.contains(.all)
    keepsNotes = options.kept.mayWant(roles.vsl)
    keptTable.deallocate()
    keptTable = PickTable(options.kept)
  }
}
