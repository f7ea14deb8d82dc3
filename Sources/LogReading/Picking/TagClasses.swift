import VarnishLog

/// What the reading loop must know of a tag, one byte for each number, in plain memory.
///
/// Its maker owns it, and calls `deallocate`.
@safe struct TagClasses {
  enum Kind: UInt8 {
    case plain
    case begin
    case end
    case link
    case batch
    /// A number that marks the end or the wrap of a ring, or unwritten memory.
    case mark
    case unknown
  }

  private let kinds: UnsafeMutablePointer<Kind>

  init(_ table: TagTable) {
    // One for every number a byte can hold, so no index is out of bounds.
    unsafe kinds = .allocate(capacity: 256)
    unsafe kinds.initialize(repeating: .unknown, count: 256)
    for number in RecordHeader.tagNumbers where table.tag(number) != nil {
      unsafe kinds[Int(number)] = .plain
    }
    unsafe kinds[0] = .mark
    unsafe kinds[254] = .mark
    unsafe kinds[Int(RecordHeader.batchTag)] = .batch
    if let number = table.number(of: .begin) { unsafe kinds[Int(number)] = .begin }
    if let number = table.number(of: .end) { unsafe kinds[Int(number)] = .end }
    if let number = table.number(of: .link) { unsafe kinds[Int(number)] = .link }
  }

  /// The tags at which a walk has something to decide.
  var stops: TagSet {
    var set = TagSet()
    for number in RecordHeader.tagNumbers where self[number] != .plain { set.insert(number) }
    return set
  }

  /// The tags that have a meaning for grouping.
  var brackets: TagSet {
    var set = TagSet()
    for number in RecordHeader.tagNumbers where [.begin, .link, .end].contains(self[number]) {
      set.insert(number)
    }
    return set
  }

  func deallocate() { unsafe kinds.deallocate() }

  @inline(__always)
  subscript(tag: UInt8) -> Kind { unsafe kinds[Int(tag)] }
}
