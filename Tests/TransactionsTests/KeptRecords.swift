import VarnishLog

/// The records that must survive until a group is finished, as a wish for sources and as a plain test.
struct KeptRecords: Equatable {
  /// The tags of which all records are kept.
  var tags = TagSet.all
  /// For other tags, the beginning that a record must have to be kept.
  var beginnings: [UInt8: String] = [:]

  static let all = KeptRecords()

  var wish: PickWish {
    var wish = PickWish(tags)
    for (tag, beginning) in beginnings { wish.want(tag, beginningWith: [Array(beginning.utf8)]) }
    return wish
  }

  func contains(_ tag: UInt8, _ payload: some Sequence<UInt8>) -> Bool {
    tags.contains(tag) || beginnings[tag].map { payload.starts(with: $0.utf8) } ?? false
  }
}
