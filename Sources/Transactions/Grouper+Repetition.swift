import VarnishLog

/// Reading a part of a log again (`grouping.md` 6.1).
extension Grouper {
  /// Every transaction whose group isn't finished, in no particular order.
  ///
  /// To be asked when `next` has returned nil. Another grouper that is given them with `beginRepetition` hands on what
  /// this one will hand on from now.
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

  /// What was ended by force since the last call, if that is noted (`notesForced`), in the order of the places.
  ///
  /// What a repetition ends again isn't among it; what `flush` ends during one is, and belongs between what has been
  /// repeated and what hasn't.
  public mutating func takeForced() -> [ForcedTransaction] {
    guard hasForced else { return [] }
    defer { forced.removeAll(keepingCapacity: true) }
    return forced
  }

  /// Takes up the work of a grouper that has read the same log: what it had open at a place is read again, and what it
  /// ended by force ends at the same places.
  ///
  /// The groups that come out are those that it handed on after that, in the same order, with the same places. Until
  /// `endRepetition` the limits don't hold, and nothing of what is repeated or passed over is counted as ended by
  /// force, ruled out or orphaned.
  ///
  /// - Precondition: nothing has been added yet.
  /// - Parameters:
  ///   - unfinished: what was open; reading begins at the first of their places, or at the place of resumption.
  ///   - resumption: up to where the log had been read when that was so.
  ///   - forced: what was ended by force behind the place where reading begins, in the order of the places.
  public mutating func beginRepetition(
    of unfinished: [UnfinishedTransaction], at resumption: UInt64, _ forced: [ForcedTransaction]
  ) {
    let repetition = Repetition(of: unfinished, at: resumption, forced)
    nextForcedPlace = repetition.nextForcedPlace
    self.repetition = repetition
  }

  /// From here on nothing was read before: the limits hold, and the time of what is open begins now.
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
  /// What was ended by force in front of the piece, or behind it if it is passed over, is ended.
  mutating func passesOver(_ piece: RecordRun<Layout>) -> Bool {
    // Those that the piece before it has reached are ended already, unless a part of the log is missing.
    repeatForced(through: piece.place)
    guard let repetition, !piece.isEmpty else { return false }
    let vxid = unsafe Layout.vxid(piece.start)
    guard repetition.isOver(vxid, at: piece.place) else { return false }
    // What comes of it later is no orphan.
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

  /// Ends what was ended by force up to a place.
  mutating func repeatForced(through place: UInt64) {
    while nextForcedPlace <= place, let next = repetition?.nextForced {
      reachedPlace = max(reachedPlace, next.place)
      repetition?.forcedCount += 1
      nextForcedPlace = repetition?.nextForcedPlace ?? .max
      if let index = table[next.vxid], !slots[index].isComplete { end(index, next.reason) }
    }
  }

  /// Whether a relative that is named at the present place was refused when this was read first.
  ///
  /// Had it not been, it would belong to the same group, and be unfinished, too.
  func wasRefused(_ vxid: UInt64) -> Bool {
    repetition?.isOver(vxid, at: presentPlace) ?? false
  }
}
