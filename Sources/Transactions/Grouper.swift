public import VarnishLog

/// Makes transactions of records and groups of transactions (`grouping.md`).
///
/// The caller adds a run of records, takes the groups that this finished, and only then adds the next:
///
/// ```
/// if grouper.add(run) {
///   while let group = grouper.next() { … }
/// }
/// ```
///
/// A transaction that arrives whole is handed on where it lies. What `next` leaves unfinished is copied
/// when it returns nil, so that the source may move on. Which groups come out, and in which order,
/// depends on nothing but the records and the clock.
public struct Grouper<Layout: RecordLayout>: ~Copyable {
  var options: GroupingOptions
  let tags: TagTable
  let roles: TagRoles
  let candidates: Candidates
  /// The records that survive until a group is finished.
  var keptTable: PickTable
  /// Whether every record survives until a group is finished.
  var keepsAll: Bool
  /// Whether the notes that are left where records don't fit may be wanted.
  var keepsNotes: Bool
  /// Which bits of a number in a payload count, as in the record's own header.
  let vxidBits: UInt64

  /// Counts of what has happened so far.
  public internal(set) var statistics = GroupingStatistics()

  /// The clock, in nanoseconds from any point; set by the caller as often as it likes.
  public var nowNanoseconds: Int64 = 0

  var slots = OpenTransactionTable<Layout>()
  var slotMemory = SlabMemory()
  var freeSlots = SlotList()
  var table = VXIDTable()
  /// Whether there are so many transactions in the table that it pays to prefetch them.
  public internal(set) var isCrowded = false
  /// Transactions in the table that aren't part of a finished group yet.
  var outstanding = 0
  /// Transactions of groups that the present piece has finished: they take room until they are handed on.
  var finished = 0
  var incomplete = IncompleteQueue()
  /// Where records are stored.
  var memory = StoreMemory()

  /// Roots of finished groups, from `readyTaken` on.
  var ready = SlotList()
  var readyTaken = 0
  /// Whether a whole transaction that never needed a slot is in `members`, and hasn't been handed on.
  var hasDirect = false
  /// The slots of the group that was handed out last.
  var lentSlots = SlotList()
  var members = MemberList<Layout>()
  /// A transaction that no longer fits into memory, if the last piece made it so.
  public internal(set) var oversized: UInt64?
  /// The piece that was added last.
  var present = PresentPiece<Layout>()
  /// Where the present piece begins.
  var presentPlace: UInt64 = 0
  /// Up to where the log was added.
  var reachedPlace: UInt64 = 0
  /// The place of the log behind which the group handed on last was complete.
  ///
  /// It depends on nothing but the log, unless something was ended by force.
  public internal(set) var completionPlace: UInt64 = 0

  /// Whether transactions that are ended by force are noted.
  ///
  /// The notes take room until `takeForced` is called.
  public var notesForced = false
  var forced: [ForcedTransaction] = []
  /// The part of the log that is read again; as long as there is one, no limits hold.
  var repetition: Repetition?
  /// The place behind which the repetition is to end a transaction next.
  var nextForcedPlace = UInt64.max

  /// Transactions that were ruled out, so that their later pieces aren't taken for orphans.
  var ruledOut = VXIDTable()
  /// The last few that ended: some servers log a record or two behind the `End`.
  var recentlyEnded = RecentNumbers()

  /// Makes a grouper that holds no transactions.
  ///
  /// - Parameters:
  ///   - options: what makes a group, and the limits.
  ///   - tags: the log's tag numbering.
  public init(options: GroupingOptions, tags: TagTable) {
    self.options = options
    self.tags = tags
    roles = TagRoles(tags)
    candidates = Candidates(options)
    keptTable = PickTable(options.kept)
    keepsAll = options.kept.contains(.all)
    keepsNotes = options.kept.mayWant(roles.vsl)
    vxidBits = Layout.headerByteCount == NarrowRecords.headerByteCount ? 0xFFFF_FFFF : .max
  }

  deinit {
    for index in slots.indices { slots[index].store.abandon() }
    members.deallocate()
    keptTable.deallocate()
  }

  /// Takes in records of one transaction that were written in one piece.
  ///
  /// - Precondition: `next` has returned nil since the last call, if that asked for it.
  /// - Parameter picked: what the source has picked out of the run, if it has: all that is kept, and every record
  ///   that has a meaning for grouping.
  /// - Returns: whether `next` must be called until it returns nil.
  @discardableResult
  public mutating func add(_ run: RecordRun<Layout>, _ picked: PickedRecords<Layout>? = nil) -> Bool {
    switch admit(run, picked) {
    case .refused: return addUnadmitted(run, picked)
    case .ruledOut: break
    case .group: hasDirect = true
    }
    return hasNews
  }

  /// Takes in records of one transaction of which each was written by itself, such as a file's.
  ///
  /// - Precondition: as for `add`; and an `End` is the last of them.
  /// - Parameter picked: as for `add`.
  /// - Returns: as `add`.
  @discardableResult
  public mutating func addEach(_ run: RecordRun<Layout>, _ picked: PickedRecords<Layout>? = nil) -> Bool {
    switch admit(run, picked) {
    case .refused: return addEachUnadmitted(run, picked)
    case .ruledOut: break
    case .group: hasDirect = true
    }
    return hasNews
  }

  /// As `add`, for what `admit` has refused.
  @_specialize(exported:true,where Layout == NarrowRecords)
  @_specialize(exported:true,where Layout == WideRecords)
  public mutating func addUnadmitted(_ run: RecordRun<Layout>, _ picked: PickedRecords<Layout>?) -> Bool {
    // If this piece turns out to be torn, the one before it mustn't be taken back.
    present.slot = -1
    if repetition != nil, passesOver(run) { return hasNews }
    reachedPlace = run.endPlace
    return addUnit(run, picked)
  }

  /// As `addEach`, for what `admit` has refused.
  @_specialize(exported:true,where Layout == NarrowRecords)
  @_specialize(exported:true,where Layout == WideRecords)
  public mutating func addEachUnadmitted(_ run: RecordRun<Layout>, _ picked: PickedRecords<Layout>?) -> Bool {
    // Limits are examined after every record. As long as none of them can be met on the way, it makes no
    // difference to look at the run as a whole.
    if canTakeAsOne, repetition == nil || !dividesRepetition(run), isOneUnit(run) {
      reachedPlace = run.endPlace
      return addUnit(run, picked)
    }
    let orphansBefore = statistics.orphans
    var cursor = run.makeCursor()
    while let record = cursor.next() {
      let unit = unsafe RecordRun<Layout>(
        start: record.address, byteCount: record.bytes.count, place: run.place(of: record))
      if repetition != nil, passesOver(unit) { continue }
      reachedPlace = unit.endPlace
      addUnit(unit, nil)
      // Each piece is dealt with before the next one, as with a source that hands them out one by one.
      settle()
    }
    // A run counts as one orphan, however many of its records couldn't be attributed.
    statistics.orphans = min(statistics.orphans, orphansBefore + 1)
    return true
  }

  /// Whether there is something to hand on, or to tidy up.
  private var hasNews: Bool { hasDirect || present.slot >= 0 || !ready.isEmpty || !lentSlots.isEmpty }

  /// Ends transactions that have been open for too long, for when no records come.
  public mutating func expire() {
    forceTimedOut()
    settle()
  }

  /// Ends every transaction that is open, because the log was interrupted.
  public mutating func flush() {
    settle()
    while incomplete.oldest >= 0 {
      statistics.flushed += 1
      force(incomplete.oldest, .flush)
    }
  }

  /// Forgets every transaction that is open.
  ///
  /// - Returns: how many had begun.
  @discardableResult
  public mutating func discardOpen() -> Int {
    var count = 0
    for index in slots.indices where slots[index].vxid != 0 {
      if slots[index].hasBegin { count += 1 }
      free(index)
    }
    table = VXIDTable()
    isCrowded = false
    incomplete.removeAll()
    outstanding = 0
    ready.removeAll()
    readyTaken = 0
    return count
  }

  /// Takes the last piece out of its transaction again: it was overwritten while it was read.
  public mutating func discardTornPiece() {
    hasDirect = false
    guard present.slot >= 0 else { return }
    slots[present.slot].store.truncate(to: present.storedBefore)
    slots[present.slot].endPlace = present.endPlaceBefore
    present = PresentPiece()
  }

  // MARK: One piece

  /// Whether a run whose records were written one by one can be taken as one piece.
  ///
  /// It can't if no open transaction waits for its first record and only a later record begins a transaction.
  private mutating func isOneUnit(_ run: RecordRun<Layout>) -> Bool {
    if run.isBracketed { return true }
    var cursor = run.makeCursor()
    guard let first = cursor.next(), table[first.vxid] == nil else { return true }
    var begin: Bracket?
    return (first.tag == roles.begin && isCandidate(first, &begin))
      || !Self.contains(cursor.rest, roles.begin)
  }

  /// Whether a transaction with this `Begin` will be needed.
  ///
  /// - Parameter bracket: becomes what the `Begin` says, if it was read.
  @inline(__always)
  private mutating func isCandidate(_ begin: Record<Layout>, _ bracket: inout Bracket?) -> Bool {
    if candidates.excludesSessions, Bracket.isOfSession(begin.payload) { return false }
    bracket = Bracket(begin.payload, vxidBits: vxidBits)
    return candidates.includes(bracket, side: begin.side)
  }

  /// - Returns: as `add`; also true if a record couldn't be attributed to any transaction.
  @discardableResult
  private mutating func addUnit(_ run: RecordRun<Layout>, _ picked: PickedRecords<Layout>?) -> Bool {
    let orphansBefore = statistics.orphans
    present.slot = -1
    finished = 0
    presentPlace = run.place
    var begin: Bracket?
    if let index = slot(for: run, &begin) {
      take(run, picked, index)
      scan(index, begin)
    }
    forceTimedOut()
    forceOverflow()
    return hasNews || statistics.orphans != orphansBefore
  }

  /// Takes in a further piece of a transaction, where it lies.
  private mutating func take(_ piece: RecordRun<Layout>, _ picked: PickedRecords<Layout>?, _ index: Int32) {
    present = PresentPiece(
      slot: index, records: piece, picked: picked, storedBefore: slots[index].store.byteCount,
      endPlaceBefore: slots[index].endPlace)
    if slots[index].endPlace == 0 { slots[index].firstPlace = piece.place }
    slots[index].endPlace = piece.endPlace
  }

  /// The slot of the transaction a piece belongs to, made if the piece begins it.
  ///
  /// - Parameter begin: what the piece's `Begin` says, if it was read for that.
  private mutating func slot(for run: RecordRun<Layout>, _ begin: inout Bracket?) -> Int32? {
    var cursor = run.makeCursor()
    guard let first = cursor.next() else { return nil }
    let vxid = first.vxid
    guard vxid != 0 else { return nil }
    if let known = table[vxid] { return known }
    guard first.tag == roles.begin else {
      noteStray(run, vxid: vxid)
      return nil
    }
    guard isCandidate(first, &begin) else {
      ruleOut(run, vxid: vxid)
      return nil
    }
    return open(vxid)
  }

  /// Interprets the records of the piece that was just put in place.
  ///
  /// - Parameter begin: what its first record says, if that is a `Begin` and was read.
  private mutating func scan(_ index: Int32, _ begin: Bracket?) {
    // A transaction that has ended and waits for its children keeps later records, but they mean nothing any
    // more: a further child would make it unready again, after its parent has counted it.
    guard !slots[index].isComplete else { return }
    let vxid = slots[index].vxid
    var begin = begin
    // Notes need to know what comes behind a record.
    if let picked = present.picked, !keepsNotes {
      let records = unsafe picked.records
      for place in records.indices {
        guard unsafe interpret(records[place], &begin, vxid, of: index, rest: .empty) else { return }
      }
    } else {
      var cursor = present.records.makeCursor()
      while let record = cursor.next() {
        guard interpret(record, &begin, vxid, of: index, rest: cursor.rest) else { return }
      }
    }
  }

  /// Interprets a record.
  ///
  /// - Parameter begin: what the record says, if it is a `Begin` and was read; nil afterwards.
  /// - Returns: false if the records behind it mean nothing.
  @inline(__always)
  private mutating func interpret(
    _ record: Record<Layout>, _ begin: inout Bracket?, _ vxid: UInt64, of index: Int32,
    rest: RecordRun<Layout>
  ) -> Bool {
    let role = roles[record.tag]
    if role == .none, !keepsNotes { return true }
    guard record.vxid == vxid else {
      // The record stays where it is, but says nothing of this transaction.
      diagnose("vxid mismatch", record, in: index, rest: rest)
      return true
    }
    switch role {
    case .none: break
    case .begin:
      processBegin(record, begin ?? Bracket(record.payload, vxidBits: vxidBits), of: index, rest: rest)
      begin = nil
    case .link: processLink(record, of: index, rest: rest)
    case .end:
      if slots[index].type == .unknown {
        addNote("vtx of unknown type marked complete", to: index, rest: rest)
      }
      complete(index)
      return false
    }
    return true
  }

  private mutating func ruleOut(_ run: RecordRun<Layout>, vxid: UInt64) {
    statistics.ruledOut += 1
    noteRuledOut(vxid, ends: Self.contains(run, roles.end))
  }

  /// Notes a transaction whose later pieces, if there are any, are no orphans.
  ///
  /// - Parameter ends: whether its `End` has been seen.
  mutating func noteRuledOut(_ vxid: UInt64, ends: Bool) {
    if ends {
      ruledOut.remove(vxid)
      recentlyEnded.insert(vxid)
      return
    }
    // A table that only ever grows would be a way to fill the memory from outside.
    if ruledOut.count > 1 << 16 { ruledOut = VXIDTable() }
    if ruledOut[vxid] == nil { ruledOut.insert(vxid, 0) }
  }

  private mutating func noteStray(_ run: RecordRun<Layout>, vxid: UInt64) {
    if ruledOut[vxid] != nil {
      if Self.contains(run, roles.end) { noteRuledOut(vxid, ends: true) }
    } else if !recentlyEnded.contains(vxid) {
      statistics.orphans += 1
    }
  }

  static func contains(_ run: RecordRun<Layout>, _ tag: UInt8) -> Bool {
    var cursor = run.makeCursor()
    while let record = cursor.next() {
      if record.tag == tag { return true }
    }
    return false
  }

  /// Copies what is left of the present piece, so that the source may move on.
  mutating func settle() {
    guard present.slot >= 0, !present.records.isEmpty else { return }
    let index = present.slot
    if let picked = present.picked, !keepsAll {
      slots[index].store.append(picked, keptTable, &memory)
    } else {
      var cursor = present.records.makeCursor()
      while let record = cursor.next() {
        if keptTable.picks(record) { slots[index].store.append(record, &memory) }
      }
    }
    present.clear()
    if slots[index].store.byteCount > GroupingOptions.storedBytesMax {
      oversized = slots[index].vxid
    }
  }
}
