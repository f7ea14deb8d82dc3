import Checkpoints
import LogReading
import Platform
import Spool
import Transactions
import VarnishLog

/// How far the log has been read, kept up to date in the run's checkpoint.
///
/// ```
///          resumption            candidates            through
/// ─────────────┼──────────────────┼──────┼──────┼─────────┼──▶ places
/// all outputs are done     one of them becomes the resumption
/// with what is in front    once they are with what is in front of it
/// ```
struct ReadingCheckpoint: ~Copyable {
  let opened: OpenedCheckpoint
  private let part: ReadingPart
  private(set) var standing: ReadingStanding
  /// The oldest first.
  private var candidates: [Candidate] = []
  /// How many candidates there are at most: the more, the closer the resumption follows the outputs.
  private static let candidateCountMax = 32
  /// Whether the checkpoint had no room for everything to be noted, which is reported once.
  private var isFull = false
  /// The place up to which this run's first log is read again.
  private(set) var repetitionEnd: UInt64 = 0
  /// Whether the log that was read last counts as another one from now on.
  private var isForgotten = false
  /// Whether a log was attached.
  private(set) var hasAttached = false

  /// A place that the run has reached, and what has to happen before reading can be resumed there.
  private struct Candidate {
    var place: UInt64
    let unfinished: [ReadingStanding.Unfinished]
    let outputs: [OutputState]

    /// The outputs that haven't settled all entries that they were given in front of this place.
    func unsettled(_ present: [OutputState]) -> Set<Int> {
      var serials: Set<Int> = []
      for output in outputs {
        guard let now = present.first(where: { $0.serial == output.serial }) else { continue }
        // An output that wasn't open at the time had no sequences for its entries.
        guard let committed = output.sequences?.committed, let settled = now.sequences?.settled,
          settled >= committed
        else {
          serials.insert(output.serial)
          continue
        }
      }
      return serials
    }
  }

  /// How far an output was at a moment.
  struct OutputState {
    /// The number of its route, and its name.
    let serial: Int, name: String
    /// The mark of the entry that it is offered next, if that comes of the same place.
    let next: EntryMark
    /// The sequences up to which it has been given entries, and up to which they are settled; nil as long as
    /// it isn't open.
    let sequences: (committed: Int, settled: Int)?
  }

  init(_ opened: OpenedCheckpoint) {
    self.opened = opened
    part = opened.file.makeReadingPart()
    standing = opened.reading
  }

  /// Where the present log begins in the numbering of places over all logs.
  var logStart: UInt64 { standing.logs.last?.start ?? 0 }

  /// Where to begin reading a live log; nil if no log was read before, and for every log of a run but its
  /// first.
  var start: LogStart? {
    guard !hasAttached, !standing.logs.isEmpty else { return nil }
    // Without a position in the log, all of it is new: it is read from its beginning.
    return standing.startPosition.map { .at($0) } ?? .head
  }

  /// Whether an earlier run had read the log beyond a place.
  func isRepeated(_ place: UInt64) -> Bool { place < repetitionEnd }

  /// Has the next log count as another one, even if it has the same incarnation.
  mutating func forgetLog() { isForgotten = true }

  // MARK: Attaching to a log

  /// What has to be done with a log from its first record on.
  struct Attachment {
    /// The transactions that were unfinished where reading is resumed.
    var unfinished: [ReadingStanding.Unfinished] = []
    /// The transactions that were ended by force behind that place.
    var forced: [ForcedEnd] = []
    /// The place up to which finished transactions are passed over; nil if nothing is read again.
    var resumption: UInt64?
    /// How many bytes of the log are lost for all outputs, and for outputs that had come further or had been
    /// left behind.
    var lostBytes: UInt64 = 0
    var lostBytesOf: [String: UInt64] = [:]
    /// Outputs that had been left behind in a log before this one.
    var lostLogOf: [String] = []
    /// How many entries of the place at which reading is resumed the outputs had been offered.
    var offered: [ReadingStanding.Offered] = []
    /// How many transactions have lost their beginning.
    var lostBeginnings = 0
    /// Whether another log was read before, whose rest is lost.
    var isOther = false
  }

  /// Notes the log that is read from now on, in memory alone until `noteAttachment`.
  ///
  /// - Parameters:
  ///   - place: where the first record is that can be read.
  ///   - overwritten: how many bytes had been written in front of that place; of a file, none is ever lost.
  ///   - continues: whether it is the log that was read so far, up to this place, under another writer.
  mutating func attach(
    _ log: LogIncarnation, at place: UInt64, overwritten: UInt64, continues: Bool
  ) -> Attachment {
    var attachment = Attachment()
    let isFirst = !hasAttached
    hasAttached = true
    guard let last = standing.logs.last else {
      // This is the first log of all: what lies in front of this place was never wanted.
      standing.logs = [LogSpan(log, start: 0)]
      standing.resumption = place
      standing.through = place
      return attachment
    }
    guard last.incarnation == log, !isForgotten else {
      isForgotten = false
      attachment.isOther = isFirst
      attachment.lostBytes = overwritten
      // Nothing may have been read of the last log.
      let end = max(isFirst ? opened.endPlace : standing.through, last.start)
      standing.logs.append(LogSpan(log, start: (end >> 40 + 1) << 40))
      if isFirst {
        resume(at: logStart + place, &attachment)
      } else if candidates.last?.unfinished.isEmpty == true {
        // All of the former log was read; the next place to resume at is the beginning of this log.
        candidates[candidates.count - 1].place = logStart + (continues ? place : 0)
      }
      return attachment
    }
    guard isFirst else { return attachment }
    repetitionEnd = standing.through
    let first = last.place(of: place)
    let start = max(last.start, standing.resumption)
    attachment.isOther = standing.resumption < last.start
    let end = max(first, start)
    for name in opened.outputNames {
      let done = opened.standing(of: name).done.place
      if standing.behind.contains(name), done < last.start { attachment.lostLogOf.append(name) }
      let from = standing.behind.contains(name) ? max(done, last.start) : max(done, start)
      attachment.lostBytesOf[name] = end - min(from, end)
    }
    if attachment.isOther { standing.unfinished = [] }
    attachment.lostBytes = first > start ? first - start : 0
    attachment.unfinished = standing.unfinished.filter { $0.firstPlace >= first }
    attachment.lostBeginnings = standing.unfinished.count - attachment.unfinished.count
    standing.unfinished = attachment.unfinished
    if first <= start, !attachment.isOther {
      attachment.offered = standing.offered
    } else {
      standing.offered = []
    }
    attachment.forced = standing.forced.filter { $0.place > first }
    resume(at: max(first, start), &attachment)
    return attachment
  }

  /// Writes to the file which log is read from now on, after the losses were reported, as no later run knows
  /// of them.
  mutating func noteAttachment(_ now: Moment) { note(now, inBothCopies: true) }

  private mutating func resume(at place: UInt64, _ attachment: inout Attachment) {
    standing.resumption = place
    standing.through = max(standing.through, place)
    standing.behind = []
    if attachment.isOther {
      (standing.unfinished, standing.offered) = ([], [])
      // Forced ends in this log may be known already, as the earlier run had begun to read it.
      standing.forced.removeAll { $0.place <= place }
    }
    attachment.resumption = place
  }

  // MARK: Reading

  /// Notes transactions that were ended by force, before anything that comes of them can be settled.
  mutating func note(_ forced: [ForcedEnd], _ now: Moment) -> Bool {
    for end in forced {
      // Forced ends that an earlier run noted may lie behind this one.
      let index = standing.forced.lastIndex { $0.place <= end.place }.map { $0 + 1 } ?? 0
      standing.forced.insert(end, at: index)
    }
    return note(now, inBothCopies: true)
  }

  /// Whether a candidate at this place is of use.
  ///
  /// - Parameter spacing: how many bytes lie between two candidates at least, if there are several.
  func wantsCandidate(at place: UInt64, spacing: UInt64) -> Bool {
    guard let last = candidates.last else { return place > standing.resumption }
    return candidates.count < Self.candidateCountMax && place >= last.place + max(spacing, 1)
  }

  /// Adds a candidate at the place that the run has reached: reading can be resumed there once the outputs
  /// have settled all entries that they have been given.
  mutating func propose(
    _ place: UInt64, _ unfinished: [ReadingStanding.Unfinished], _ outputs: [OutputState]
  ) {
    candidates.append(Candidate(place: place, unfinished: unfinished, outputs: outputs))
  }

  /// Moves the resumption to the last candidate up to which the outputs have settled their entries.
  ///
  /// - Parameters:
  ///   - lagBytesMax: outputs that are further behind than this don't hold the others back; nil leaves none
  ///     behind.
  ///   - outputs: how far the outputs are now; candidates' outputs that aren't among them no longer belong to
  ///     the run.
  /// - Returns: false if the checkpoint has no room, the first time that this happens.
  mutating func advance(
    to place: UInt64, _ now: Moment, lagBytesMax: UInt64?, _ outputs: [OutputState]
  ) -> Bool {
    guard let oldest = candidates.first else { return true }
    var behind: Set<Int> = []
    // Outputs can't be behind in a log that is gone: entries that they haven't settled can't be made of it
    // again.
    let from = max(standing.resumption, logStart)
    if let lagBytesMax, place > from, place - from > lagBytesMax { behind = oldest.unsettled(outputs) }
    guard let index = candidates.lastIndex(where: { $0.unsettled(outputs).isSubset(of: behind) }) else {
      return true
    }
    let candidate = candidates[index]
    candidates.removeFirst(index + 1)
    standing.resumption = candidate.place
    standing.unfinished = candidate.unfinished
    standing.offered = candidate.outputs.compactMap { output in
      guard output.next.place == candidate.place, output.next.ordinal > 0 else { return nil }
      return ReadingStanding.Offered(name: output.name, count: output.next.ordinal)
    }
    standing.behind = outputs.filter { behind.contains($0.serial) }.map(\.name)
    let start = standing.start
    standing.forced.removeAll { $0.place <= start }
    if let index = standing.logs.lastIndex(where: { $0.start <= start }) { standing.logs.removeFirst(index) }
    standing.through = max(place, candidate.place, standing.through)
    return note(now)
  }

  /// Notes how many entries outputs have dropped without having reported it.
  ///
  /// - Returns: false if the checkpoint has no room, the first time that this happens.
  mutating func note(_ unsaid: [ReadingStanding.Unsaid], _ now: Moment) -> Bool {
    guard unsaid != standing.unsaid else { return true }
    standing.unsaid = unsaid
    return note(now)
  }

  /// Notes how many bytes of the log an entry is made of on average.
  mutating func note(entryBytes: Int) { standing.entryBytes = UInt64(max(0, entryBytes)) }

  /// Writes what was noted last to the checkpoint's other copy, too.
  func finish() { part.noteAgain() }

  /// Writes the present state to the checkpoint.
  ///
  /// - Returns: false if the checkpoint has no room, the first time that this happens.
  @discardableResult
  private mutating func note(_ now: Moment, inBothCopies: Bool = false) -> Bool {
    standing.wallSeconds = now.wallSeconds
    guard part.note(standing) else {
      defer { isFull = true }
      return isFull
    }
    if inBothCopies { part.noteAgain() }
    return true
  }
}
