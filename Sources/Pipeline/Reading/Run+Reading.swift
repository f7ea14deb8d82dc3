import Shipping
import Platform
import LogReading
import Transactions
import VarnishLog

/// The inner loop: from a source's records to entries in the spools.
extension Run {
  /// Why the loop paused.
  enum Pause {
    /// It is time to look at commands and the clock.
    case busy
    case idle
    case end
    case overrun(lostBytes: Int)
    case damaged(LogError)
    /// This range of bytes of a captured log holds no credible records.
    case gap(Range<Int>)
    /// A transaction grew beyond the largest size that is stored.
    case oversized(vxid: UInt64, offset: Int)
  }

  /// How many runs of records are taken between two looks at the commands.
  private static var runsPerTurn: Int { 1024 }

  /// Takes what the source has, but no more than a turn's worth.
  mutating func pump<Source: LogSource & ~Copyable>(
    _ source: inout Source, _ reading: inout Reading<Source.Layout>
  ) throws(LogError) -> Pause {
    var readBytes = 0
    defer { note(reading, readBytes: readBytes) }
    for _ in 0..<Self.runsPerTurn where !control.isEnding {
      switch try source.next() {
      case .records(let run):
        readBytes += run.byteCount
        if Source.makesTransactions, run.shape == .single {
          takeSingle(run)
          continue
        }
        if reading.takesRecords, !Source.makesTransactions {
          takeEach(run, from: &source)
          // Records of no transaction were handed out only for the routes that take single records.
          if unsafe Source.Layout.vxid(run.start) == 0 { continue }
        }
        for way in 0..<reading.groupers.count {
          if let pause = add(run, way, &reading, from: &source) { return pause }
        }
      case .idle: return .idle
      case .end: return .end
      case .overrun(let lostBytes): return .overrun(lostBytes: lostBytes)
      case .damaged(let error): return .damaged(error)
      case .gap(let bytes): return .gap(bytes)
      }
    }
    return .busy
  }

  /// Adds a run of records to a grouper, and hands on the groups that the run has finished.
  @inline(__always)
  mutating func add<Source: LogSource & ~Copyable>(
    _ run: RecordRun<Source.Layout>, _ way: Int, _ reading: inout Reading<Source.Layout>,
    from source: inout Source
  ) -> Pause? {
    let picked = source.picked(of: run)
    // With so many transactions that most aren't in the processor's caches, the next one is fetched
    // meanwhile.
    var upcoming: UInt64 = 0
    if reading.groupers[way].isCrowded {
      upcoming = source.upcomingVXID
      unsafe reading.groupers[way].prefetchRecords(of: Source.Layout.vxid(run.start), andPlaceOf: upcoming)
    }
    defer { if upcoming != 0 { reading.groupers[way].prefetchTransaction(upcoming) } }
    switch reading.groupers[way].admit(run, picked) {
    case .refused: return addUnadmitted(run, picked, way, &reading, from: &source)
    case .ruledOut: break
    case .group(let group): hand(group, of: way, &reading, from: &source)
    }
    return nil
  }

  /// Adds a run that isn't a whole transaction, or that belongs to an open one.
  private mutating func addUnadmitted<Source: LogSource & ~Copyable>(
    _ run: RecordRun<Source.Layout>, _ picked: PickedRecords<Source.Layout>?, _ way: Int,
    _ reading: inout Reading<Source.Layout>, from source: inout Source
  ) -> Pause? {
    let orphansBefore = reading.groupers[way].statistics.orphans
    let hasGroups =
      Source.recordsStandAlone
      ? reading.groupers[way].addEachUnadmitted(run, picked)
      : reading.groupers[way].addUnadmitted(run, picked)
    guard hasGroups else { return nil }
    takeFinished(way, &reading, from: &source)
    if !Source.recordsStandAlone, !source.isIntact {
      reading.groupers[way].discardTornPiece()
    } else if reading.groupers[way].statistics.orphans > orphansBefore, !reading.isLate[way] {
      unsafe reading.strays.note(offset: source.offset(of: run.start), vxid: Source.Layout.vxid(run.start))
    } else if let vxid = reading.groupers[way].oversized {
      return unsafe .oversized(vxid: vxid, offset: source.offset(of: run.start))
    }
    return nil
  }

  /// Has the routes take over the counts of what the groupers have sorted out, and of bytes read.
  mutating func note<Layout: RecordLayout>(_ reading: borrowing Reading<Layout>, readBytes: Int) {
    self.readBytes += readBytes
    for index in 0..<routes.count {
      routes[index].ledger.readBytes += readBytes
      if let way = routes[index].grouper { routes[index].note(reading.groupers[way].statistics) }
    }
  }

  /// Hands on groups that were finished without new records, by timeout or by force.
  mutating func takeFinished<Source: LogSource & ~Copyable>(
    _ reading: inout Reading<Source.Layout>, from source: inout Source
  ) {
    for way in 0..<reading.groupers.count { takeFinished(way, &reading, from: &source) }
    note(reading, readBytes: 0)
  }

  @inline(__always)
  private mutating func takeFinished<Source: LogSource & ~Copyable>(
    _ way: Int, _ reading: inout Reading<Source.Layout>, from source: inout Source
  ) {
    while let group = reading.groupers[way].next() {
      // Noted before anything that comes of the group can go to an output.
      if reading.notesForced, group.containsForced { noteForced(way, &reading) }
      if reading.withholdsForced, group.containsForced { continue }
      hand(group, of: way, &reading, from: &source)
    }
  }

  /// Hands a group to the routes that take those of its grouper.
  @inline(__always)
  mutating func hand<Source: LogSource & ~Copyable>(
    _ group: TransactionGroup<Source.Layout>, of way: Int, _ reading: inout Reading<Source.Layout>,
    from source: inout Source
  ) {
    if sharesCaptures, group.count > 1 { return handEach(group, of: way, from: &source) }
    let place = logStart &+ group.completionPlace
    forgetCaptures()
    for index in 0..<routes.count where routes[index].grouper == way && !routes[index].isOver {
      routes[index].marks.reach(place)
      guard routes[index].admits(group, control.clock) else { continue }
      if routes[index].takesWholeGroups {
        take(group, index, from: &source)
      } else {
        take(group[0], index, from: &source)
        for member in 1..<group.count {
          forgetCaptures()
          take(group[member], index, from: &source)
        }
      }
      countTaken(index)
    }
  }

  /// Hands over a group of several transactions, each to all routes before the next one, so that the routes
  /// can share its captures.
  @inline(never)
  private mutating func handEach<Source: LogSource & ~Copyable>(
    _ group: TransactionGroup<Source.Layout>, of way: Int, from source: inout Source
  ) {
    let place = logStart &+ group.completionPlace
    for index in 0..<routes.count {
      routes[index].isTaking = routes[index].grouper == way && !routes[index].isOver
      guard routes[index].isTaking else { continue }
      routes[index].marks.reach(place)
      routes[index].isTaking = routes[index].admits(group, control.clock)
      if routes[index].isTaking, routes[index].takesWholeGroups { take(group, index, from: &source) }
    }
    for member in 0..<group.count {
      forgetCaptures()
      let transaction = group[member]
      for index in 0..<routes.count where routes[index].isTaking && !routes[index].takesWholeGroups {
        take(transaction, index, from: &source)
      }
    }
    for index in 0..<routes.count where routes[index].isTaking { countTaken(index) }
  }

  /// Has a route take a group as a whole.
  private mutating func take<Source: LogSource & ~Copyable>(
    _ group: TransactionGroup<Source.Layout>, _ index: Int, from source: inout Source
  ) {
    while case .full = routes[index].take(group, isIntact: { source.isIntact }), makesRoom(index) {}
    routes[index].marks.advance()
  }

  /// Has a route take a transaction of a group.
  @inline(__always)
  private mutating func take<Source: LogSource & ~Copyable>(
    _ transaction: Transaction<Source.Layout>, _ index: Int, from source: inout Source
  ) {
    // Only if a run was killed in the middle of a group can a part of the group be done.
    if routes[index].marks.isNextDone { return routes[index].passOver() }
    let shared = routes[index].captures
    while case .full = routes[index].take(transaction, &captures[shared], isIntact: { source.isIntact }),
      makesRoom(index)
    {}
    routes[index].marks.advance()
  }

  @inline(__always)
  mutating func countTaken(_ index: Int) {
    routes[index].countTaken()
    if routes[index].isOver { endIfOver() }
  }

  /// Waits until there may be room for an entry that a route couldn't take, or counts the entry as lost.
  ///
  /// - Returns: whether the entry is to be offered to the route again.
  @inline(never)
  mutating func makesRoom(_ index: Int) -> Bool {
    guard canWait(index) else {
      refuse(index)
      return false
    }
    handleCommandsWhileHeldBack()
    routes[index].settle()
    return true
  }

  mutating func handleCommandsWhileHeldBack() {
    standing.isHeldBack = true
    handleCommands()
    standing.isHeldBack = false
  }

  /// Whether the source is held back until there is room, unless a command says that it has waited long enough.
  func canWait(_ index: Int) -> Bool {
    routes[index].waitsForRoom && !control.isEnding && routes[index].output?.failure == nil
  }

  /// Hands a run's records to the routes that take single records.
  private mutating func takeEach<Source: LogSource & ~Copyable>(
    _ run: RecordRun<Source.Layout>, from source: inout Source
  ) {
    for index in 0..<routes.count where routes[index].takesRecords && !routes[index].isOver {
      var cursor = run.makeCursor()
      let endPlace = logStart &+ run.endPlace
      while case .full = routes[index].take(
        each: &cursor, upTo: endPlace, control.clock, isIntact: { source.isIntact })
      {
        guard canWait(index) else {
          routes[index].refuse(&cursor)
          noteLosses(of: index)
          continue
        }
        handleCommandsWhileHeldBack()
        routes[index].settle()
      }
      if routes[index].isOver { endIfOver() }
    }
  }
}
