import VarnishLog

/// A capture plan as the walk over records reads it: plain memory, one entry for each tag number.
///
/// Owned by whoever makes it and calls `deallocate`.
@safe struct CaptureTable {
  // Invariant: both tables have an entry for each tag number of each side, so that `index` is always within.

  /// What to do with records of one tag.
  struct Entry {
    var action = CapturePlan.Action.none
    /// Whether they are also looked for by name.
    var isWatched = false
    /// Whether their payload is taken without its final NULs.
    var isStripped = true
    /// Whether there is anything to do at all.
    var isUsed = false
  }

  private let entries: UnsafeMutablePointer<Entry>
  /// What is asked first, a byte each: most records are of no use, and this is all that is looked at of them.
  private let uses: UnsafeMutablePointer<Use>

  /// What a tag's records are good for, as far as it takes no second look.
  enum Use: UInt8 {
    case none
    /// A request header of which nothing else is wanted.
    case plainRequestHeader
    case other
  }
  private static let sideCount = 256

  init(_ plan: CapturePlan) {
    unsafe entries = .allocate(capacity: 2 * Self.sideCount)
    unsafe uses = .allocate(capacity: 2 * Self.sideCount)
    for number in UInt8.min...UInt8.max {
      for isBackend in [false, true] {
        let entry = plan.entry(number, isBackend: isBackend)
        unsafe (entries + Self.index(number, isBackend)).initialize(to: entry)
        unsafe (uses + Self.index(number, isBackend)).initialize(to: Self.use(entry))
      }
    }
  }

  private static func index(_ tag: UInt8, _ isBackend: Bool) -> Int {
    (isBackend ? sideCount : 0) + Int(tag)
  }

  /// What to do with a record.
  ///
  /// Any tag number is within the table.
  @inline(__always)
  subscript(tag: UInt8, isBackend: Bool) -> Entry { unsafe entries[Self.index(tag, isBackend)] }

  private static func use(_ entry: Entry) -> Use {
    guard entry.isUsed else { return .none }
    let isPlain = entry.action == .requestHeader && !entry.isWatched && entry.isStripped
    return isPlain ? .plainRequestHeader : .other
  }

  /// What a side's records of a tag are good for, by tag number.
  @inline(__always)
  func uses(isBackend: Bool) -> UnsafePointer<Use> {
    unsafe UnsafePointer(uses + (isBackend ? Self.sideCount : 0))
  }

  func deallocate() {
    unsafe entries.deallocate()
    unsafe uses.deallocate()
  }
}

/// A value found in a transaction: where it lies, or that it was taken away again.
@safe struct CapturedValue {
  // Invariant: where there is a start, `count` bytes of the transaction lie behind it, as they were taken from
  // a `LogBytes`; they are read before the next transaction is walked over.

  var start: UnsafeRawPointer?
  var count = 0
  /// Whether a record has spoken of it, be it only to say that it is gone.
  var isSet = false

  /// The value; nil if there is none.
  var bytes: LogBytes? {
    guard let start = unsafe start else { return nil }
    return unsafe LogBytes(start: start, count: count)
  }
}
