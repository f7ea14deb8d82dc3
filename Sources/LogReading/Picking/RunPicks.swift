public import VarnishLog

/// What is picked out of the runs of a log, and what was picked last.
///
/// Owned by its maker, which calls `deallocate`.
@safe public struct RunPicks<Layout: RecordLayout> {
  let classes: TagClasses
  let table: PickTable
  @usableFromInline let list = PickList<Layout>()
  private let wish: PickWish

  /// The run that records were picked out of last, and how many.
  @usableFromInline var run: (start: UnsafeRawPointer, byteCount: Int)?
  @usableFromInline var count = 0

  /// Prepares for a log's records.
  public init(_ tags: TagTable, _ wish: PickWish = PickWish()) {
    classes = TagClasses(tags)
    table = PickTable(wish, stops: classes.stops)
    self.wish = wish
  }

  /// Gives the memory back.
  public func deallocate() {
    classes.deallocate()
    table.deallocate()
    list.deallocate()
  }

  /// Whether records are picked out of what begins so: whole transactions, if they may be wanted.
  @inline(__always)
  func picks(_ first: Record<Layout>) -> Bool {
    classes[first.tag] == .begin && first.side != wish.unwantedSide
  }

  /// Picks records out of a run that was written in one piece, if that is a whole transaction.
  @inline(__always)
  mutating func look(at run: RecordRun<Layout>) -> RecordRun<Layout>.Shape {
    clear()
    var walk = unsafe PickWalk<Layout>(start: run.start, byteCount: run.byteCount)
    guard let first = walk.record, classes[first.tag] == .begin else { return .unknown }
    return picks(first) ? look(at: run, &walk, first, picks: true) : look(at: run, &walk, first, picks: false)
  }

  @inline(__always)
  private mutating func look(
    at run: RecordRun<Layout>, _ walk: inout PickWalk<Layout>, _ first: Record<Layout>, picks: Bool
  ) -> RecordRun<Layout>.Shape {
    let vxid = first.vxid
    walk.pass(first, table, into: list, picks: picks)
    var hasLinks = false
    while true {
      walk.passQuickly(table, into: list, picks: picks)
      guard let record = walk.record, record.vxid == vxid else { return .unknown }
      let kind = classes[record.tag]
      guard kind != .begin else { return .unknown }
      walk.pass(record, table, into: list, picks: picks)
      if kind == .link { hasLinks = true }
      guard kind == .end else { continue }
      // Some servers log a record or two behind the `End`; whether they belong to it isn't decided here.
      guard walk.byteCount == run.byteCount else { return .unknown }
      if picks { unsafe note(walk, of: run.start, byteCount: run.byteCount) }
      return hasLinks ? .linked : .plain
    }
  }

  /// Takes note that records were picked out of a run, if they all were.
  @inline(__always)
  mutating func note(_ walk: PickWalk<Layout>, of start: UnsafeRawPointer, byteCount: Int) {
    unsafe run = walk.isComplete ? (start, byteCount) : nil
    count = walk.pickCount
  }

  /// Forgets what was picked.
  @inline(__always)
  mutating func clear() { unsafe run = nil }

  /// What was picked out of a run; nil if that wasn't the last one.
  @inlinable
  public func picked(of other: RecordRun<Layout>) -> PickedRecords<Layout>? {
    guard let run = unsafe run, unsafe run.start == other.start, unsafe run.byteCount == other.byteCount
    else {
      return nil
    }
    return list.picked(count)
  }
}
