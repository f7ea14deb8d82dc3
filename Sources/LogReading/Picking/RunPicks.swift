public import VarnishLog

/// What is picked out of the runs of a log, and what was picked last.
///
/// Owned by its maker, which calls `deallocate`.
@safe public struct RunPicks<Layout: RecordLayout> {
  let classes: TagClasses
  let table: PickTable
  @usableFromInline let list = PickList<Layout>()
  /// Whether anything is wanted.
  private let isPicking: Bool
  /// The side whose transactions are of no use.
  private let unwantedSide: Side?

  /// The run that records were picked out of last, and how many.
  @usableFromInline var run: (start: UnsafeRawPointer, byteCount: Int)?
  @usableFromInline var count = 0

  /// Prepares for a log's records.
  ///
  /// If any records are picked, so are those that have a meaning for grouping.
  public init(_ tags: TagTable, _ wish: PickWish = PickWish()) {
    classes = TagClasses(tags)
    var all = wish
    all.want(classes.brackets)
    table = PickTable(all, stops: classes.stops)
    isPicking = !wish.isEmpty
    unwantedSide = wish.unwantedSide
  }

  /// Gives the memory back.
  public func deallocate() {
    classes.deallocate()
    table.deallocate()
    list.deallocate()
  }

  /// Whether records are picked out of a run that begins with this record.
  @inline(__always)
  func picks(_ first: Record<Layout>) -> Bool { isPicking && first.side != unwantedSide }

  /// Picks records out of a run that was written in one piece, if they are all of one transaction.
  ///
  /// - Returns: the shape of the run.
  @inline(__always)
  mutating func look(at run: RecordRun<Layout>) -> RecordRun<Layout>.Shape {
    clear()
    var walk = unsafe PickWalk<Layout>(start: run.start, byteCount: run.byteCount)
    guard let first = walk.record else { return .unknown }
    if picks(first) { return look(at: run, &walk, first, picks: true) }
    return classes[first.tag] == .begin ? look(at: run, &walk, first, picks: false) : .unknown
  }

  @inline(__always)
  private mutating func look(
    at run: RecordRun<Layout>, _ walk: inout PickWalk<Layout>, _ first: Record<Layout>, picks: Bool
  ) -> RecordRun<Layout>.Shape {
    let vxid = first.vxid
    let begins = classes[first.tag] == .begin
    var (hasLinks, isOdd, endOffset) = (false, false, 0)
    walk.pass(first, table, into: list, picks: picks)
    while true {
      walk.passQuickly(table, into: list, picks: picks)
      guard let record = walk.record, record.vxid == vxid else { break }
      walk.pass(record, table, into: list, picks: picks)
      switch classes[record.tag] {
      case .begin: isOdd = true
      case .link: hasLinks = true
      case .end:
        if endOffset > 0 { isOdd = true }
        endOffset = walk.byteCount
      default: break
      }
    }
    guard walk.byteCount == run.byteCount else { return .unknown }
    if picks { unsafe note(walk, of: run.start, byteCount: run.byteCount) }
    // Some servers log a record or two behind the `End`; whether they belong to it isn't decided here.
    guard !isOdd else { return .unknown }
    guard endOffset > 0 else { return begins ? .begun : classes[first.tag] == .end ? .unknown : .inner }
    guard endOffset == run.byteCount else { return .unknown }
    return begins ? hasLinks ? .linked : .plain : .ended
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
