public import VarnishLog

/// What can be said of a run by itself, if it has no relatives among the transactions that the grouper holds.
public struct Admission<Layout: RecordLayout> {
  /// The number of a whole transaction; 0 if it can't be told from the run alone whether it is one.
  let vxid: UInt64
  /// Where the transaction comes from, if it is a group by itself; nil if it isn't wanted.
  let origin: Origin?

  /// Nothing can be told from the run alone.
  static var unknown: Admission { Admission(vxid: 0, origin: nil) }

  /// What the `Begin` of a transaction says.
  struct Origin {
    let begin: Bracket
    let side: Side
    let vxid: UInt64

    /// The transaction that a run is.
    @inline(__always)
    func transaction(_ run: RecordRun<Layout>, _ picked: PickedRecords<Layout>?) -> Transaction<Layout> {
      Transaction(
        vxid: vxid, parentVXID: begin.vxid, type: begin.type, reason: begin.reason, side: side, level: 1,
        isForced: false, firstPlace: run.place, endPlace: run.endPlace, stored: .empty, inPlace: run,
        picked: picked)
    }
  }

  /// Whether the run is a whole transaction that isn't wanted, or the beginning of such a transaction.
  public var isRuledOut: Bool { vxid != 0 && origin == nil }

  /// The transaction that a run is, if it is one that is wanted.
  ///
  /// - Parameters:
  ///   - run: the run that this is about.
  ///   - picked: what the source has picked out of it.
  @_specialize(exported:true,where Layout == NarrowRecords)
  @_specialize(exported:true,where Layout == WideRecords)
  public func transaction(
    _ run: RecordRun<Layout>, _ picked: PickedRecords<Layout>
  ) -> Transaction<Layout>? { origin?.transaction(run, picked) }
}

/// The result of trying to admit a run.
@frozen public enum Admittance<Layout: RecordLayout> {
  /// The run must be added.
  case refused
  /// The run is counted as a transaction that isn't wanted.
  case ruledOut
  /// The run is counted, and this is its group, valid until the next call of any method.
  case group(TransactionGroup<Layout>)
}

/// Whole transactions, which are handed on where they lie.
///
/// Some methods on the path of each run, here and elsewhere, change nothing and are `mutating` all the same:
/// a method that only borrows `self` is given a copy of all of it, 80 instructions a call.
extension Grouper {
  /// Takes in a run if it is a whole transaction that has no relatives among the open ones.
  ///
  /// That is how nearly all of a log is read: no slot, no copy of records, no list.
  ///
  /// - Precondition: as for `add`.
  /// - Parameter picked: as for `add`.
  @_specialize(exported:true,where Layout == NarrowRecords)
  @_specialize(exported:true,where Layout == WideRecords)
  public mutating func admit(
    _ run: RecordRun<Layout>, _ picked: PickedRecords<Layout>?
  ) -> Admittance<Layout> {
    if run.isPart { return passPart(run) ? .ruledOut : .refused }
    let admission = admitted(run)
    guard admission.vxid != 0, pass(admission.vxid, upTo: run.endPlace, isRuledOut: admission.origin == nil)
    else { return .refused }
    guard let origin = admission.origin else { return .ruledOut }
    members.set(only: origin.transaction(run, picked))
    return .group(members.group(completedAt: completionPlace))
  }

  /// What can be said of a run by itself: several threads may ask this for runs anywhere in the log.
  @_specialize(exported:true,where Layout == NarrowRecords)
  @_specialize(exported:true,where Layout == WideRecords)
  public mutating func admission(of run: RecordRun<Layout>) -> Admission<Layout> {
    guard run.isPart else { return admitted(run) }
    // There is a record then.
    guard beginsRuledOut(run) else { return .unknown }
    return unsafe Admission(vxid: Layout.vxid(run.start), origin: nil)
  }

  @inline(__always)
  mutating func admitted(_ run: RecordRun<Layout>) -> Admission<Layout> {
    // A walk that finds no end would be for nothing.
    if run.isPart { return .unknown }
    let grouping = options.grouping
    guard grouping == .vxid || (grouping == .request && run.shape == .plain) else {
      return .unknown
    }
    var cursor = run.makeCursor()
    guard let first = cursor.next(), first.tag == roles.begin else { return .unknown }
    let vxid = first.vxid
    guard vxid != 0 else { return .unknown }
    // The side alone rules out half of what a busy cache logs.
    if run.isBracketed, candidates.areRuledOut(bySide: first.side) {
      return Admission(vxid: vxid, origin: nil)
    }
    if candidates.excludesSessions, Bracket.isOfSession(first.payload) {
      return run.isBracketed ? Admission(vxid: vxid, origin: nil) : .unknown
    }
    guard let begin = Bracket(first.payload, vxidBits: vxidBits), begin.type != .unknown,
      begin.vxid != vxid
    else { return .unknown }
    guard candidates.includes(begin, side: first.side) else {
      return run.isBracketed ? Admission(vxid: vxid, origin: nil) : .unknown
    }
    // A request that came from a client, and names no other transaction, has no relatives.
    guard grouping == .vxid || (begin.type == .request && begin.reason == .received) else {
      return .unknown
    }
    // A source that has looked already needn't be checked, as long as no notes are kept of links that
    // can't be read.
    guard (run.isBracketed && (!keepsNotes || run.shape == .plain)) || isUnremarkable(cursor, vxid: vxid)
    else { return .unknown }
    return Admission(vxid: vxid, origin: Admission.Origin(begin: begin, side: first.side, vxid: vxid))
  }

  /// Counts a whole transaction that was found to be one elsewhere, in place of adding it.
  ///
  /// - Precondition: `next` has returned nil since the last call.
  /// - Parameter isRuledOut: whether the transaction isn't wanted; a wanted one is the group that comes next,
  ///   and is complete behind the place.
  /// - Returns: false if the grouper holds a transaction of this number, so that the run must be added.
  @_specialize(exported:true,where Layout == NarrowRecords)
  @_specialize(exported:true,where Layout == WideRecords)
  public mutating func passWhole(_ vxid: UInt64, upTo endPlace: UInt64, isRuledOut: Bool) -> Bool {
    pass(vxid, upTo: endPlace, isRuledOut: isRuledOut)
  }

  @inline(__always)
  private mutating func pass(_ vxid: UInt64, upTo endPlace: UInt64, isRuledOut: Bool) -> Bool {
    guard repetition == nil, canTakeAsOne, table.count == 0 || table[vxid] == nil else { return false }
    present.slot = -1
    reachedPlace = endPlace
    if isRuledOut {
      statistics.ruledOut += 1
    } else {
      completionPlace = endPlace
      statistics.delivered += 1
    }
    recentlyEnded.insert(vxid)
    return true
  }

  /// Takes in a part of a transaction that isn't wanted, as a session is for lines: it lasts longer than its requests,
  /// and comes in several parts.
  ///
  /// - Returns: false if it may be wanted, or belongs to an open transaction, so that it must be added.
  @inline(never)
  private mutating func passPart(_ run: RecordRun<Layout>) -> Bool {
    guard run.byteCount >= Layout.headerByteCount else { return false }
    let isRuledOut = beginsRuledOut(run)
    return unsafe pass(partOf: Layout.vxid(run.start), run.shape, upTo: run.endPlace, isRuledOut: isRuledOut)
  }

  /// Takes in a part of a transaction that was looked at elsewhere.
  ///
  /// - Precondition: `next` has returned nil since the last call.
  /// - Parameter isRuledOut: whether the transaction begins here and isn't wanted (`Admission`).
  /// - Returns: false if it must be added.
  @_specialize(exported:true,where Layout == NarrowRecords)
  @_specialize(exported:true,where Layout == WideRecords)
  public mutating func passPart(
    of vxid: UInt64, _ shape: RecordRun<Layout>.Shape, upTo endPlace: UInt64, isRuledOut: Bool
  ) -> Bool {
    pass(partOf: vxid, shape, upTo: endPlace, isRuledOut: isRuledOut)
  }

  @inline(__always)
  private mutating func pass(
    partOf vxid: UInt64, _ shape: RecordRun<Layout>.Shape, upTo endPlace: UInt64, isRuledOut: Bool
  ) -> Bool {
    guard repetition == nil, canTakeAsOne, vxid != 0, table.count == 0 || table[vxid] == nil else {
      return false
    }
    if shape == .begun {
      guard isRuledOut else { return false }
      statistics.ruledOut += 1
      noteRuledOut(vxid, ends: false)
    } else {
      guard ruledOut.count > 0, ruledOut[vxid] != nil else { return false }
      if shape == .ended { noteRuledOut(vxid, ends: true) }
    }
    present.slot = -1
    reachedPlace = endPlace
    return true
  }

  /// Whether a part is the beginning of a transaction that isn't wanted.
  @inline(__always)
  private mutating func beginsRuledOut(_ run: RecordRun<Layout>) -> Bool {
    guard run.shape == .begun else { return false }
    var cursor = run.makeCursor()
    guard let first = cursor.next(), first.vxid != 0, first.tag == roles.begin else { return false }
    return candidates.areRuledOut(bySide: first.side)
      || (candidates.excludesSessions && Bracket.isOfSession(first.payload))
  }

  /// Whether no limit can be met within a run, however its records are looked at.
  @inline(__always)
  var canTakeAsOne: Bool {
    outstanding + 64 <= options.openTransactionsMax && options.timeoutNanoseconds > 0 && !isTimeoutDue
  }

  /// Whether there is an `End`, and before it nothing that needs a note or belongs to another transaction.
  private mutating func isUnremarkable(_ cursor: RecordCursor<Layout>, vxid: UInt64) -> Bool {
    var cursor = cursor
    while let record = cursor.next() {
      if record.vxid != vxid { return false }
      switch roles[record.tag] {
      case .none: continue
      case .begin: return false
      case .link:
        guard let link = Bracket(record.payload, vxidBits: vxidBits), link.type != .unknown else {
          return false
        }
      case .end: return true
      }
    }
    return false
  }
}
