import VarnishLog

/// How transactions are opened, ended and handed on (`grouping.md` 5, 6).
extension Grouper {
  /// The next finished group; nil when there is none, and then the next records may be added.
  ///
  /// The group is valid until the next call of any method.
  @_specialize(exported:true,where Layout == NarrowRecords)
  @_specialize(exported:true,where Layout == WideRecords)
  public mutating func next() -> TransactionGroup<Layout>? {
    freeLent()
    if hasDirect {
      hasDirect = false
      return members.group(completedAt: completionPlace)
    }
    while readyTaken < ready.count {
      let root = ready[readyTaken]
      readyTaken += 1
      completionPlace = slots[root].completionPlace
      collect(root)
      if isWanted(root) {
        statistics.delivered += lentSlots.count
        return members.group(completedAt: completionPlace)
      }
      statistics.discarded += lentSlots.count
      statistics.discardedGroups += 1
      freeLent()
    }
    if readyTaken > 0 {
      ready.removeAll()
      readyTaken = 0
    }
    settle()
    return nil
  }

  /// A group whose root isn't what the grouping asks for is not handed on.
  private func isWanted(_ root: Int32) -> Bool {
    switch options.grouping {
    case .vxid: true
    case .request: slots[root].type == .request
    case .session: slots[root].type == .session
    }
  }

  /// Lists a group's slots, breadth first, in `lentSlots`, and their views in `members`.
  private mutating func collect(_ root: Int32) {
    members.removeAll()
    lentSlots.append(root)
    members.append(transaction(root, level: 1))
    var at = 0
    while at < lentSlots.count {
      let level = members[at].level
      var child = slots[lentSlots[at]].firstChild
      while child >= 0 {
        lentSlots.append(child)
        let isRestart = slots[child].reason == .restart
        members.append(transaction(child, level: isRestart ? level : level + 1))
        child = slots[child].nextSibling
      }
      at += 1
    }
  }

  private func transaction(_ index: Int32, level: Int) -> Transaction<Layout> {
    index == present.slot
      ? slots[index].transaction(level: level, inPlace: present.records, present.picked)
      : slots[index].transaction(level: level, inPlace: .empty, nil)
  }

  private mutating func freeLent() {
    guard !lentSlots.isEmpty else { return }
    for at in 0..<lentSlots.count { free(lentSlots[at]) }
    lentSlots.removeAll()
  }

  // MARK: Slots

  /// Makes a slot for a transaction and puts it last among the incomplete.
  mutating func open(_ vxid: UInt64) -> Int32 {
    let index: Int32
    if let free = freeSlots.popLast() {
      index = free
    } else {
      index = slots.append(OpenTransaction(), &slotMemory)
    }
    var transaction = OpenTransaction<Layout>()
    transaction.vxid = vxid
    transaction.createdNanoseconds = nowNanoseconds
    transaction.openedPlace = presentPlace
    transaction.firstPlace = presentPlace
    slots[index] = transaction
    incomplete.append(index)
    table.insert(vxid, index)
    isCrowded = table.count > Self.crowd
    outstanding += 1
    return index
  }

  mutating func free(_ index: Int32) {
    slots[index].store.release(to: &memory)
    if oversized == slots[index].vxid { oversized = nil }
    slots[index].vxid = 0
    freeSlots.append(index)
    if present.slot == index { present = PresentPiece() }
  }

  // MARK: Completion

  /// Marks a transaction as ended; it accepts no more children.
  mutating func complete(_ index: Int32) {
    guard !slots[index].isComplete else { return }
    slots[index].isComplete = true
    recentlyEnded.insert(slots[index].vxid)
    incomplete.remove(index)
    // Readiness goes up the tree as far as it reaches.
    var at = index
    while slots[at].isReady {
      let parent = slots[at].parent
      guard parent >= 0 else {
        slots[at].completionPlace = reachedPlace
        ready.append(at)
        close(at)
        return
      }
      slots[parent].unreadyChildren -= 1
      at = parent
    }
  }

  /// Takes a finished group out of the table: from now on, records with its numbers belong to other
  /// transactions.
  private mutating func close(_ root: Int32) {
    var at = root
    while true {
      outstanding -= 1
      finished += 1
      table.remove(slots[at].vxid)
      if slots[at].firstChild >= 0 {
        at = slots[at].firstChild
        continue
      }
      while at != root, slots[at].nextSibling < 0 { at = slots[at].parent }
      if at == root { break }
      at = slots[at].nextSibling
    }
    isCrowded = table.count > Self.crowd
  }

  /// Whether the oldest incomplete transaction is too old.
  @inline(__always)
  var isTimeoutDue: Bool {
    guard incomplete.oldest >= 0, repetition == nil else { return false }
    let age = nowNanoseconds - slots[incomplete.oldest].createdNanoseconds
    return age > options.timeoutNanoseconds || options.timeoutNanoseconds == 0
  }

  mutating func forceTimedOut() {
    if reachedPlace >= nextForcedPlace { repeatForced(through: reachedPlace) }
    while isTimeoutDue {
      statistics.timedOut += 1
      force(incomplete.oldest, .timeout)
    }
  }

  mutating func forceOverflow() {
    guard repetition == nil else { return }
    while outstanding + finished > options.openTransactionsMax, incomplete.oldest >= 0 {
      statistics.overflowed += 1
      force(incomplete.oldest, .overflow)
      // Finished transactions leave the table before an unfinished one has to.
      finished = 0
    }
  }

  /// Ends a transaction that didn't end itself.
  mutating func force(_ index: Int32, _ reason: ForcedTransaction.Reason) {
    if notesForced {
      forced.append(ForcedTransaction(vxid: slots[index].vxid, place: reachedPlace, reason: reason))
    }
    end(index, reason)
  }

  /// Ends a transaction with records that say why.
  mutating func end(_ index: Int32, _ reason: ForcedTransaction.Reason) {
    if index == present.slot { settle() }
    let type = slots[index].type
    let hasBegin = slots[index].hasBegin
    slots[index].isForced = true
    if !hasBegin {
      slots[index].side = slots[index].markerSide
      makeUp(roles.begin, "\(type.word) 0 synth", in: index)
      // The records made up count like logged ones: the reason that a link gave is forgotten, and a restart
      // that was never seen stands below the request that it would have restarted.
      slots[index].reason = .other
    }
    makeUp(roles.vsl, "\(reason.words)", in: index)
    makeUp(roles.end, "synth", in: index)
    if type == .unknown {
      let vxid = slots[index].vxid
      if !hasBegin {
        makeUp(roles.vsl, "unknown vxid type (\(vxid):Begin \"\(type.word) 0 synth\")", in: index)
      }
      makeUp(roles.vsl, "vtx of unknown type marked complete", in: index)
    }
    complete(index)
  }

  /// Adds a record that the grouper makes up, if records of its tag may be wanted.
  private mutating func makeUp(_ tag: UInt8, _ text: String, in index: Int32) {
    guard options.kept.mayWant(tag) else { return }
    slots[index].store.append(
      tag: tag, vxid: slots[index].vxid, side: slots[index].markerSide,
      text: Array(text.utf8.prefix(Self.noteByteCountMax)), &memory)
  }
}
