import VarnishLog

/// Which fields of a record with one tag are numbers of transactions, and which are points in time.
///
/// Both sets of fields are bit masks; fields are counted from 1.
struct EditPlan {
  var vxidFields: UInt32 = 0
  var timeFields: UInt32 = 0
  /// The field with the time at which the record was written; 0 if there is none.
  var clockField = 0
  /// Whether the record is a header, which is changed only if it is `X-Varnish`.
  var isHeader = false

  /// Whether such records have fields to change.
  func concerns(vxids: Bool, times: Bool) -> Bool {
    (vxids && vxidFields != 0) || (times && timeFields != 0)
  }

  /// The last field that can be in a set; fields after it are never changed.
  static let fieldsMax = 31

  /// The plan for a tag (`vsl-tags.md` 7).
  init(_ tag: Tag) {
    switch tag {
    case .begin, .link: vxidFields = Self.fields(2...2)
    case .hit, .hitMiss, .hitPass: vxidFields = Self.fields(1...1)
    case .reqHeader, .reqUnset, .respHeader, .respUnset, .bereqHeader, .bereqUnset, .berespHeader,
      .berespUnset, .objHeader, .objUnset:
      isHeader = true
      // For a hit, the transaction that fetched the object is named, too; each of several caches adds its own.
      vxidFields = Self.fields(1...Self.fieldsMax)
    case .timestamp:
      clockField = 2
      timeFields = Self.fields(2...2)
    case .sessOpen:
      clockField = 6
      timeFields = Self.fields(6...6)
    case .ttl:
      // Now, origin, date and expiry, or the origin alone; numbers that aren't points in time are too small
      // to be taken as such.
      timeFields = Self.fields(5...8)
    default: break
    }
  }

  private static func fields(_ range: ClosedRange<Int>) -> UInt32 {
    range.reduce(0) { $0 | 1 << UInt32($1) }
  }
}
