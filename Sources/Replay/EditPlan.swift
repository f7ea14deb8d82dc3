import VarnishLog

/// Where a record of one tag has numbers of transactions and points in time.
///
/// Both are sets of fields, a bit each, counted from 1.
struct EditPlan {
  var vxidFields: UInt32 = 0
  var timeFields: UInt32 = 0
  /// The field that says when the record was written; 0 if none does.
  var clockField = 0
  /// Whether it is a header, and has to be looked at only if it is `X-Varnish`.
  var isHeader = false

  /// Whether there is anything to change in such records.
  func concerns(vxids: Bool, times: Bool) -> Bool {
    (vxids && vxidFields != 0) || (times && timeFields != 0)
  }

  /// Fields behind the last bit are left alone.
  static let fieldsMax = 31

  /// The plan for a tag (`vsl-tags.md` 7).
  init(_ tag: Tag) {
    switch tag {
    case .begin, .link: vxidFields = Self.fields(2...2)
    case .hit, .hitMiss, .hitPass: vxidFields = Self.fields(1...1)
    case .reqHeader, .reqUnset, .respHeader, .respUnset, .bereqHeader, .bereqUnset, .berespHeader,
      .berespUnset, .objHeader, .objUnset:
      isHeader = true
      // A hit names the transaction that fetched the object, too; several caches have added theirs.
      vxidFields = Self.fields(1...Self.fieldsMax)
    case .timestamp:
      clockField = 2
      timeFields = Self.fields(2...2)
    case .sessOpen:
      clockField = 6
      timeFields = Self.fields(6...6)
    case .ttl:
      // Now, origin, date and expiry, or the origin alone; what isn't a point in time is too small for one.
      timeFields = Self.fields(5...8)
    default: break
    }
  }

  private static func fields(_ range: ClosedRange<Int>) -> UInt32 {
    range.reduce(0) { $0 | 1 << UInt32($1) }
  }
}
