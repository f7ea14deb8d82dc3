import Checkpoints
import LogReading
import Platform
import Shipping
import Spool
import Transactions
import VarnishLog

/// Resuming where an earlier run stopped, and keeping the checkpoint up to date.
extension Run {
  /// Notes the log that is read from now on, and has transactions that were unfinished begin again.
  ///
  /// - Parameters:
  ///   - place: where the first record is that can be read.
  ///   - overwritten: how many bytes had been written in front of that place.
  ///   - continues: whether it is the log that was read so far, up to this place, under another writer.
  mutating func attach<Layout: RecordLayout>(
    _ log: LogIncarnation, at place: UInt64, overwritten: UInt64, continues: Bool = false,
    _ reading: inout Reading<Layout>
  ) {
    guard checkpoint != nil else { return }
    let former = checkpoint?.standing
    guard
      let attachment = checkpoint?.attach(log, at: place, overwritten: overwritten, continues: continues)
    else { return }
    logStart = checkpoint?.logStart ?? 0
    reading.notesForced = true
    for way in 0..<reading.groupers.count { reading.groupers[way].notesForced = true }
    say(attachment, former)
    checkpoint?.noteAttachment(control.clock.now())
    guard let resumption = attachment.resumption else { return }
    hasResumed = true
    for way in 0..<reading.groupers.count {
      let identity = reading.ways[way].identity
      reading.groupers[way].beginRepetition(
        of: attachment.unfinished.filter { $0.way == identity }.map {
          UnfinishedTransaction(vxid: $0.vxid, firstPlace: $0.firstPlace - logStart)
        }, at: resumption - logStart,
        attachment.forced.filter { $0.way == identity }.map {
          ForcedTransaction(vxid: $0.vxid, place: $0.place - logStart, reason: $0.reason.ofGrouper)
        })
    }
    for output in attachment.offered {
      for index in 0..<routes.count where routes[index].name == output.name {
        routes[index].marks.begin(behind: EntryMark(place: resumption, ordinal: output.count))
      }
    }
    reading.isRepeating = true
  }

  /// Reports what is lost between the earlier run and this one.
  private mutating func say(_ attachment: ReadingCheckpoint.Attachment, _ former: ReadingStanding?) {
    guard let former, let path = control.configuration.process.resume else { return }
    let messages = control.messages
    let time = UTCTime.text(former.wallSeconds)
    let span = "written between \(time) and \(UTCTime.text(control.clock.now().wallSeconds))"
    for index in 0..<routes.count { routes[index].ledger.formerEntryBytes = Int(clamping: former.entryBytes) }
    if attachment.isOther, let log = former.logs.last, log.incarnation.writer == nil {
      messages.say(
        "\(path): another file was read before, up to byte \(log.position(of: former.through).place) of what it holds"
      )
    } else if attachment.isOther, former.logs.last?.incarnation == checkpoint?.standing.logs.last?.incarnation
    {
      messages.say(
        "\(path): the log doesn't tell how far it has come since it was read last: what its present turn holds may come "
          + "again, and what was \(span) in front of that is lost")
    } else if attachment.isOther {
      messages.say(
        "\(path): another log was read before; what it had that was \(span) and wasn't read is lost")
    }
    sayLost(attachment, former, span)
    if attachment.lostBeginnings > 0 {
      let count = attachment.lostBeginnings
      messages.say(
        "\(path): \(counted(count, "transaction")) under way at \(time) "
          + "\(count == 1 ? "is" : "are") lost: the beginning was overwritten")
    }
    for output in former.unsaid {
      messages.say(
        "\(output.name): up to \(output.countMax) entries were dropped by the run before, which was killed before "
          + "it could say so")
    }
    for name in attachment.lostLogOf {
      messages.say(
        "\(name): had been left behind when another log was read before; what it hadn't written of that is lost"
      )
    }
  }

  /// Reports how many bytes were overwritten, in one message for all outputs that lack the same number.
  private mutating func sayLost(
    _ attachment: ReadingCheckpoint.Attachment, _ former: ReadingStanding, _ span: String
  ) {
    var names: [(byteCount: Int, names: [String])] = []
    for index in 0..<routes.count {
      let name = routes[index].name
      let byteCount = Int(clamping: attachment.lostBytesOf[name] ?? attachment.lostBytes)
      guard byteCount > 0 else { continue }
      routes[index].countOverrun(byteCount)
      if let same = names.firstIndex(where: { $0.byteCount == byteCount }) {
        names[same].names.append(name)
      } else {
        names.append((byteCount, [name]))
      }
    }
    lostBytes += Int(clamping: attachment.lostBytes)
    for (byteCount, names) in names {
      let average = Int(clamping: former.entryBytes)
      let estimate = average > 0 ? max(1, byteCount / average) : 0
      control.messages.say(
        "\(names.joined(separator: ", ")): \(byteCount) bytes of the log"
          + (estimate > 0 ? " (about \(estimate) entries, if they were of \(average) bytes as before)" : "")
          + ", \(span), were overwritten before they were read")
    }
  }

  /// Notes the transactions that a grouper has ended by force.
  mutating func noteForced<Layout: RecordLayout>(_ way: Int, _ reading: inout Reading<Layout>) {
    guard reading.groupers[way].hasForced else { return }
    let identity = reading.ways[way].identity
    let start = logStart
    let forced = reading.groupers[way].takeForced().map {
      ForcedEnd(way: identity, vxid: $0.vxid, place: start + $0.place, reason: ForcedEnd.Reason($0.reason))
    }
    if checkpoint?.note(forced, control.clock.now()) == false { sayFull() }
  }

  /// Counts an entry that is lost because there is no room for it.
  mutating func refuse(_ index: Int) {
    routes[index].refuse()
    noteLosses(of: index)
  }

  /// Notes that a route has lost an entry, before anything that comes behind it can be settled.
  mutating func noteLosses(of index: Int) {
    guard let unsaid = checkpoint?.standing.unsaid else { return }
    let name = routes[index].name
    let noted = unsaid.first { $0.name == name }?.countMax ?? 0
    if routes[index].unsaidLosses > noted { noteLosses(ahead: Self.lossesNotedAhead) }
  }

  /// How many losses are noted before they happen, as noting each of them would take too long.
  private static var lossesNotedAhead: Int { 1000 }

  /// Notes how many entries outputs have lost without having reported it.
  private mutating func noteLosses(ahead: Int = 0) {
    guard checkpoint != nil else { return }
    var unsaid: [ReadingStanding.Unsaid] = []
    for index in 0..<routes.count {
      let count = routes[index].unsaidLosses
      guard count > 0 else { continue }
      unsaid.append(ReadingStanding.Unsaid(name: routes[index].name, countMax: UInt64(count + ahead)))
    }
    if checkpoint?.note(unsaid, control.clock.now()) == false { sayFull() }
  }

  /// Brings the checkpoint up to date, between two turns.
  ///
  /// - Parameters:
  ///   - place: up to where the log has been read.
  ///   - lagBytesMax: how many bytes an output may be behind before it is left behind; nil is any number.
  mutating func keepCheckpoint<Layout: RecordLayout>(
    _ reading: inout Reading<Layout>, at place: UInt64, lagBytesMax: UInt64?
  ) {
    guard let resumption = checkpoint?.standing.resumption else { return }
    let place = logStart + place
    // Transactions in the middle of a group haven't come out of the grouper yet.
    for way in 0..<reading.groupers.count { noteForced(way, &reading) }
    if reading.isRepeating, checkpoint?.isRepeated(place) == false {
      for way in 0..<reading.groupers.count { reading.groupers[way].endRepetition() }
      reading.isRepeating = false
    }
    noteLosses()
    let states = outputStates
    advanceCheckpoint(to: place, lagBytesMax: lagBytesMax, states)
    let spacing = (lagBytesMax ?? Self.fileSpacing) / 32
    guard place > resumption, checkpoint?.wantsCandidate(at: place, spacing: spacing) == true else { return }
    let unfinished = unfinished(reading)
    checkpoint?.propose(place, unfinished, states)
  }

  /// About how many bytes of a file are read again at most.
  private static var fileSpacing: UInt64 { 64 << 20 }

  /// Notes the place at which reading a log ends.
  mutating func endCheckpoint<Layout: RecordLayout>(_ reading: borrowing Reading<Layout>, at place: UInt64) {
    guard let resumption = checkpoint?.standing.resumption, logStart + place >= resumption else { return }
    publish()
    let (place, unfinished, states) = (logStart + place, unfinished(reading), outputStates)
    checkpoint?.propose(place, unfinished, states)
  }

  /// Brings the checkpoint up to date for the last time: the outputs have ended.
  mutating func finishCheckpoint() {
    guard let place = checkpoint?.standing.through else { return }
    noteLosses()
    advanceCheckpoint(to: place, lagBytesMax: nil, outputStates)
    checkpoint?.finish()
  }

  private mutating func advanceCheckpoint(
    to place: UInt64, lagBytesMax: UInt64?, _ states: [ReadingCheckpoint.OutputState]
  ) {
    let entryBytes = routes.count > 0 ? routes[0].ledger.averageBytes : 0
    checkpoint?.note(entryBytes: entryBytes)
    if checkpoint?.advance(to: place, control.clock.now(), lagBytesMax: lagBytesMax, states) == false {
      sayFull()
    }
  }

  private func sayFull() {
    control.messages.say(
      "\(control.configuration.process.resume ?? ""): has no room for so many open transactions; "
        + "a kill now would double or lose some")
  }

  private func unfinished<Layout: RecordLayout>(
    _ reading: borrowing Reading<Layout>
  ) -> [ReadingStanding.Unfinished] {
    var all: [ReadingStanding.Unfinished] = []
    for way in 0..<reading.groupers.count {
      let identity = reading.ways[way].identity
      for transaction in reading.groupers[way].unfinished {
        all.append(
          ReadingStanding.Unfinished(
            way: identity, vxid: transaction.vxid, firstPlace: logStart + transaction.firstPlace))
      }
    }
    return all
  }

  private var outputStates: [ReadingCheckpoint.OutputState] {
    var states: [ReadingCheckpoint.OutputState] = []
    for index in 0..<routes.count {
      let sequences: (Int, Int)? =
        if routes[index].isSettled, let output = routes[index].output {
          (routes[index].writer.nextSequence, output.settledThrough)
        } else {
          nil
        }
      states.append(
        ReadingCheckpoint.OutputState(
          serial: routes[index].serial, name: routes[index].name, next: routes[index].marks.next,
          sequences: sequences))
    }
    return states
  }
}

extension GroupingOptions {
  /// A number made of the options that decide which transactions belong together; it is the same in every
  /// run.
  fileprivate var identity: UInt64 {
    let grouping: UInt64 =
      switch grouping {
      case .vxid: 0
      case .request: 1
      case .session: 2
      }
    let rule: UInt64 =
      switch candidateRule {
      case .everything: 0
      case .bySide: 1
      case .bySideAndLevel: 2
      }
    return grouping | rule << 8 | (wantsClient ? 1 : 0) << 16 | (wantsBackend ? 1 : 0) << 17
      | (wantsESI ? 1 : 0) << 18
  }
}

extension ForcedEnd.Reason {
  fileprivate init(_ reason: ForcedTransaction.Reason) {
    switch reason {
    case .timeout: self = .timeout
    case .overflow: self = .limit
    case .flush: self = .flush
    }
  }

  fileprivate var ofGrouper: ForcedTransaction.Reason {
    switch self {
    case .timeout: .timeout
    case .limit: .overflow
    case .flush: .flush
    }
  }
}
