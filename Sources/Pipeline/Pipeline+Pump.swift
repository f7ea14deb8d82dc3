import Shipping
import LogQuery
import LogReading
import Platform
import Transactions
import VarnishLog

/// The inner loop: from a source's records to lines in the spool.
extension Pipeline {
  /// Why the loop paused.
  enum Pause {
    /// Signals and the clock want to be looked at.
    case busy
    case idle
    case end
    case overrun(lostBytes: Int)
    case damaged(LogError)
    /// A transaction grew beyond all measure.
    case oversized(vxid: UInt64, offset: Int)
  }

  /// How many runs of records are taken between two looks at the signals.
  private static var runsPerTurn: Int { 1024 }

  /// Takes what the source has, but no more than a turn's worth.
  mutating func pump<Source: LogSource & ~Copyable>(
    _ source: inout Source, _ grouper: inout Grouper<Source.Layout>,
    _ strays: inout StrayPieces
  ) throws(LogError) -> Pause {
    defer { note(grouper.statistics) }
    for _ in 0..<Self.runsPerTurn where !isEnding {
      switch try source.next() {
      case .records(let run):
        accounting.readBytes += run.byteCount
        if takesRecordsSingly {
          takeEach(run, from: &source)
          continue
        }
        let orphansBefore = grouper.statistics.orphans
        guard Source.recordsStandAlone ? grouper.addEach(run) : grouper.add(run) else { continue }
        note(grouper.statistics)
        while let group = grouper.next() { take(group, from: &source) }
        if !Source.recordsStandAlone, !source.isIntact {
          grouper.discardTornPiece()
        } else if grouper.statistics.orphans > orphansBefore {
          strays.note(offset: source.offset(of: run.start), vxid: Source.Layout.vxid(run.start))
        } else if let vxid = grouper.oversized {
          return .oversized(vxid: vxid, offset: source.offset(of: run.start))
        }
      case .idle: return .idle
      case .end: return .end
      case .overrun(let lostBytes): return .overrun(lostBytes: lostBytes)
      case .damaged(let error): return .damaged(error)
      }
    }
    return .busy
  }

  /// Hands on what was finished without new records, by time or by force.
  mutating func takeFinished<Source: LogSource & ~Copyable>(
    _ grouper: inout Grouper<Source.Layout>, from source: inout Source
  ) {
    note(grouper.statistics)
    while let group = grouper.next() { take(group, from: &source) }
  }

  private mutating func take<Source: LogSource & ~Copyable>(
    _ group: TransactionGroup<Source.Layout>, from source: inout Source
  ) {
    guard groupsLeft > 0 else { return }
    let captured = group.count == 1 ? captures?.capture(group[0]) : nil
    guard isWanted(group, captured), rateLimiter?.admits(at: Moment.now().steadyNanoseconds) ?? true
    else {
      accounting.filtered += takesGroups ? 1 : group.count
      return
    }
    if takesGroups {
      offer(from: &source) { lane, source in lane?.take(group) { source.isIntact } }
    } else {
      for index in 0..<group.count {
        let transaction = group[index]
        offer(from: &source) { lane, source in lane?.take(transaction, captured) { source.isIntact } }
      }
    }
    countTaken()
  }

  private mutating func isWanted<Layout: RecordLayout>(
    _ group: TransactionGroup<Layout>, _ captured: CapturedRecords<Layout>?
  ) -> Bool {
    guard let captured else { return query?.matches(group) ?? true }
    return query?.matches(group[0], captured) ?? true
  }

  private mutating func countTaken() {
    groupsLeft -= 1
    if groupsLeft == 0 { isEnding = true }
    if options.isUnbuffered { lane?.publish() }
  }

  /// Takes the records of a run as groups of their own.
  private mutating func takeEach<Source: LogSource & ~Copyable>(
    _ run: RecordRun<Source.Layout>, from source: inout Source
  ) {
    var cursor = run.makeCursor()
    if takesEveryRecord, let tallies = lane?.take(each: &cursor, isIntact: { source.isIntact }) {
      accounting.committed += tallies.committed
      accounting.filtered += tallies.filtered
      accounting.torn += tallies.torn
      if options.isUnbuffered { lane?.publish() }
      if tallies.torn > 0 { return }
    }
    // What is left had no room, or must be looked at one by one.
    while groupsLeft > 0, let record = cursor.next() {
      guard TransactionGroup.withRecord(record, { query?.matches($0) ?? true }),
        rateLimiter?.admits(at: Moment.now().steadyNanoseconds) ?? true
      else {
        accounting.filtered += 1
        continue
      }
      let torn = accounting.torn
      offer(from: &source) { lane, source in lane?.take(record) { source.isIntact } }
      // What was overwritten holds no records any more; the source says how much that was.
      if accounting.torn > torn { return }
      countTaken()
    }
  }

  /// Hands something to the lane and counts what becomes of it.
  @inline(__always)
  private mutating func offer<Source: LogSource & ~Copyable>(
    from source: inout Source, _ take: (inout Lane?, inout Source) -> Lane.Outcome?
  ) {
    while true {
      switch take(&lane, &source) ?? .filtered {
      case .committed: accounting.committed += 1
      case .filtered: accounting.filtered += 1
      case .torn: accounting.torn += 1
      case .refused:
        // A source that can wait is held back, unless a signal says that it has waited long enough.
        if waitsForRoom, !isEnding, output?.failure == nil {
          handleSignals()
          continue
        }
        accounting.refused += 1
      }
      return
    }
  }

  // MARK: Signals

  /// Does what came in from outside, apart from flushing, which needs the grouper.
  ///
  /// - Returns: whether what is open should be finished.
  @discardableResult
  mutating func handleSignals() -> Bool {
    var flushes = false
    while let command = signals.next() {
      switch command {
      case .end: interrupt()
      case .hangup:
        if options.hangup == .reopen { output?.requestReopen() } else { interrupt() }
      case .flush: flushes = true
      case .report:
        messages.say(account().description)
      }
    }
    return flushes
  }

  mutating func interrupt() {
    isEnding = true
    isInterrupted = true
    // Whatever is still to be handed on: it would be waited for until the consumer wakes.
    output?.endWaiting()
  }
}

/// Pieces of transactions whose beginning was never seen.
struct StrayPieces {
  private(set) var count = 0
  private(set) var firstOffset = 0
  private(set) var firstVXID: UInt64 = 0

  mutating func note(offset: Int, vxid: UInt64) {
    if count == 0 { (firstOffset, firstVXID) = (offset, vxid) }
    count += 1
  }
}
