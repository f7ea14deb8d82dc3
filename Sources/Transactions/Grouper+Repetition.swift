import VarnishLog

/// Reading a part of a log again (`grouping.md` 6.1).
extension Grouper {
  /// Every transaction whose group isn't finished, in no particular order.
  ///
  /// To be asked when `next` has returned nil. Another grouper to which they are given with `beginRepetition`
  /// hands on the groups that this one will hand on from now.
  ///
  /// - Complexity: O(n), n being the most that have been open at once.
  public var unfinished: [UnfinishedTransaction] {
    slots.indices.compactMap { index in
      guard slots[index].vxid != 0 else { return nil }
      return UnfinishedTransaction(vxid: slots[index].vxid, firstPlace: slots[index].openedPlace)
    }
  }

  /// Whether there is something for `takeForced` to take.
  public var hasForced: Bool { !forced.isEmpty }

  /// The transactions that were ended by force since the last call, if that is noted (`notesForced`), in the
  /// order of the places.
  ///
  /// Those that a repetition ends again aren't among them; those that `flush` ends during one are, and belong
  /// between what has been repeated and what hasn't.
  public mutating func takeForced() -> [ForcedTransaction] {
    guard hasForced else { return [] }
    defer { forced.removeAll(keepingCapacity: true) }
    return forced
  }

  /// Takes up the work of another grouper that has read the same log: the transactions that it had open at a
  /// place are read again, and those that it ended by force end at the same places.
  ///
  /// The groups that come out are those that the other one handed on after that, in the same order, with the
  /// same places. Until `endRepetition` the limits don't hold, and no transaction that is repeated or passed
  /// over is counted as ended by force, ruled out or orphaned.
  ///
  /// - Precondition: nothing has been added yet.
  /// - Parameters:
  ///   - unfinished: the transactions that were open; reading begins at the first of their places, or at the
  ///     place of resumption.
  ///   - resumption: the place up to which the log had been read when they were open.
  ///   - forced: the transactions that were ended by force behind the place where reading begins, in the
  ///     order of the places.
  public mutating func beginRepetition(
    of unfinished: [UnfinishedTransaction], at resumption: UInt64, _ forced: [ForcedTransaction]
  ) {
    let repetition = Repetition(of: unfinished, at: resumption, forced)
    nextForcedPlace = repetition.nextForcedPlace
    self.repetition = repetition
  }

  /// Ends the repetition: from now on the limits hold, and the time of open transactions begins now.
  public mutating func endRepetition() {
    guard repetition != nil else { return }
    repetition = nil
    nextForcedPlace = .max
    for index in slots.indices where slots[index].vxid != 0 {
      slots[index].createdNanoseconds = nowNanoseconds
    }
  }

  /// Whether a piece is one of a transaction that was finished, and not to be taken again.
  ///
  /// Transactions that were ended by force up to the piece, or up to its end if it is passed over, are ended
  /// again.
  mutating func passesOver(_ piece: RecordRun<Layout>) -> Bool {
    // Those up to the end of the piece before are ended already, unless a part of the log is missing.
    repeatForced(through: piece.place)
    guard let repetition, !piece.isEmpty else { return false }
    let vxid = unsafe Layout.vxid(piece.start)
    guard repetition.isOver(vxid, at: piece.place) else { return false }
    // Its later pieces are no orphans.
    if vxid != 0 { noteRuledOut(vxid, ends: Self.contains(piece, roles.end)) }
    repeatForced(through: piece.endPlace)
    reachedPlace = piece.endPlace
    return true
  }

  /// Whether each record of a run must be looked at by itself: some are passed over, or something ends between two.
  func dividesRepetition(_ run: RecordRun<Layout>) -> Bool {
    guard let repetition else { return false }
    return run.place < repetition.resumption || nextForcedPlace < run.endPlace
  }

  /// Ends again the transactions that were ended by force up to a place.
  mutating func repeatForced(through place: UInt64) {
    while nextForcedPlace <= place, let next = repetition?.nextForced {
      reachedPlace = max(reachedPlace, next.place)
      repetition?.forcedCount += 1
      nextForcedPlace = repetition?.nextForcedPlace ?? .max
      if let index = table[next.vxid], !slots[index].isComplete { end(index, next.reason) }
    }
  }

  /// Whether a relative that is named at the present place was refused when the log was read first.
  ///
  /// If it hadn't been refused, it would belong to the same group, and be unfinished, too.
  func wasRefused(_ vxid: UInt64) -> Bool {
    repetition?.isOver(vxid, at: presentPlace) ?? false
  }
}
