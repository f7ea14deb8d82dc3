public import VarnishLog

/// What changes while transactions are under way.
extension Grouper {
  /// The tags whose records survive until a group is finished.
  public var keptTags: TagSet { options.keptTags }

  /// How many transactions are under way.
  public var openCount: Int { outstanding }

  /// Keeps records of other tags, too, from now on: transactions that are under way lack those they had before.
  public mutating func keep(_ more: TagSet) {
    options.keptTags.formUnion(more)
    keepsNotes = options.keptTags.contains(roles.vsl)
  }
}
