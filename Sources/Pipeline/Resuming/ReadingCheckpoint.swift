import Checkpoints
import LogReading
import Platform
import Spool
import Transactions
import VarnishLog

/// How the log is read, kept up to date in the run's checkpoint.
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
  /// How many there are at most: the more, the closer the resumption follows the outputs.
  private static let candidateCountMax = 32
  /// Whether there was no room for all that is to be noted, and that was said.
  private var isFull = false
  /// Up to where the log is read again, in this run's first log.
  private(set) var repetitionEnd: UInt64 = 0
  /// Whether the log that was read last isn't what it was.
  private var isForgotten = false
  /// Whether a log was attached.
  private(set) var hasAttached = false

  /// A place at which the run stood, and what has to happen before it can be gone on from there.
  private struct Candidate {
    var place: UInt64
    let unfinished: [ReadingStanding.Unfinished]
    let outputs: [OutputState]

    /// The outputs that aren't done with what they had been given in front of it.
    func unsettled(_ present: [OutputState]) -> Set<Int> {
      var serials: Set<Int> = []
      for output in outputs {
        guard let now = present.first(where: { $0.serial == output.serial }) else { continue }
        // An output that wasn't open then had no numbers for its entries.
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

  /// How far an output is at a moment.
  struct OutputState {
    /// Which one: its route's number, and its name.
    let serial: Int, name: String
    /// The mark of what it is offered next, if that comes of the same place.
    let next: EntryMark
    /// Up to which sequence it has been given entries, and up to which they are settled; nil as long as it isn't open.
    let sequences: (committed: Int, settled: Int)?
  }

  init(_ opened: OpenedCheckpoint) {
    self.opened = opened
    part = opened.file.makeReadingPart()
    standing = opened.reading
  }

  /// Where the present log begins among all.
  var logStart: UInt64 { standing.logs.last?.start ?? 0 }

  /// Where reading of a live log is to begin; nil for the first of all, and for any but the first of a run.
  var start: LogStart? {
    guard !hasAttached, !standing.logs.isEmpty else { return nil }
    // Where all of it is new, from its beginning.
    return standing.startPosition.map { .at($0) } ?? .head
  }

  /// Whether the log had been read before up to a place.
  func isRepeated(_ place: UInt64) -> Bool { place < repetitionEnd }

  /// Has the next log count as another one than the last, even if it has the same incarnation.
  mutating func forgetLog() { isForgotten = true }

  // MARK: Attaching to a log

  /// What has to be done with a log from its first record on.
  struct Attachment {
    /// What was unfinished where reading goes on.
    var unfinished: [ReadingStanding.Unfinished] = []
    /// What was ended by force from there on.
    var forced: [ForcedEnd] = []
    /// Where what was finished is passed over; nil if nothing is read again.
    var resumption: UInt64?
    /// How many bytes of the log are lost for all outputs, and for some that had come further, or been left behind.
    var lostBytes: UInt64 = 0
    var lostBytesOf: [String: UInt64] = [:]
    /// Outputs that had been left behind in a log before this one.
    var lostLogOf: [String] = []
    /// How many entries outputs had been offered where reading goes on.
    var offered: [ReadingStanding.Offered] = []
    /// How many transactions have lost their beginning.
    var lostBeginnings = 0
    /// Whether another log was read before, the rest of which is gone.
    var isOther = false
  }

  /// Takes note of a log that is read from now on; in memory alone until `noteAttachment`.
  ///
  /// - Parameters:
  ///   - place: of its first record that can be read.
  ///   - overwritten: how many bytes had been written in front of that; of a file none is ever lost.
  ///   - continues: whether it is the log that was read so far, up to this place, under another writer.
  mutating func attach(
    _ log: LogIncarnation, at place: UInt64, overwritten: UInt64, continues: Bool
  ) -> Attachment {
    var attachment = Attachment()
    let isFirst = !hasAttached
    hasAttached = true
    guard let last = standing.logs.last else {
      // The first of all: what is in front of it was never wanted.
      standing.logs = [LogSpan(log, start: 0)]
      standing.resumption = place
      standing.through = place
      return attachment
    }
    guard last.incarnation == log, !isForgotten else {
      isForgotten = false
      attachment.isOther = isFirst
      attachment.lostBytes = overwritten
      // Of the last one, nothing may have been read.
      let end = max(isFirst ? opened.endPlace : standing.through, last.start)
      standing.logs.append(LogSpan(log, start: (end >> 40 + 1) << 40))
      if isFirst {
        resume(at: logStart + place, &attachment)
      } else if candidates.last?.unfinished.isEmpty == true {
        // All of the former log was read: what comes after it is the beginning of this one.
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

  /// Notes the log that is read from now on, once it was said what is lost: after that, no run knows of it.
  mutating func noteAttachment(_ now: Moment) { note(now, inBothCopies: true) }

  private mutating func resume(at place: UInt64, _ attachment: inout Attachment) {
    standing.resumption = place
    standing.through = max(standing.through, place)
    standing.behind = []
    if attachment.isOther {
      (standing.unfinished, standing.offered) = ([], [])
      // Of this log, some may be known already, as the earlier run had begun with it.
      standing.forced.removeAll { $0.place <= place }
    }
    attachment.resumption = place
  }

  // MARK: Reading

  /// Notes what was ended by force, before anything that comes of it can be done.
  mutating func note(_ forced: [ForcedEnd], _ now: Moment) -> Bool {
    for end in forced {
      // What an earlier run has ended may come behind it.
      let index = standing.forced.lastIndex { $0.place <= end.place }.map { $0 + 1 } ?? 0
      standing.forced.insert(end, at: index)
    }
    return note(now, inBothCopies: true)
  }

  /// Whether it is of use to know what is unfinished now.
  ///
  /// - Parameter spacing: how many bytes lie between two candidates at least, if there are several.
  func wantsCandidate(at place: UInt64, spacing: UInt64) -> Bool {
    guard let last = candidates.last else { return place > standing.resumption }
    return candidates.count < Self.candidateCountMax && place >= last.place + max(spacing, 1)
  }

  /// Takes note of where the run stands: once the outputs are done with all that they have been given, reading can go on
  /// there.
  mutating func propose(
    _ place: UInt64, _ unfinished: [ReadingStanding.Unfinished], _ outputs: [OutputState]
  ) {
    candidates.append(Candidate(place: place, unfinished: unfinished, outputs: outputs))
  }

  /// Moves on as far as the outputs are done with what they had been given.
  ///
  /// - Parameters:
  ///   - lagBytesMax: outputs that are so far behind don't keep the others from moving on; nil leaves none behind.
  ///   - outputs: how far they are now; those that are not among them are no outputs of the run any more.
  /// - Returns: false if there is no room for what is to be noted, the first time.
  mutating func advance(
    to place: UInt64, _ now: Moment, lagBytesMax: UInt64?, _ outputs: [OutputState]
  ) -> Bool {
    guard let oldest = candidates.first else { return true }
    var behind: Set<Int> = []
    // A log that is gone is none to be behind in: what isn't done of it by now can't be read again anyhow.
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

  /// Notes what outputs have dropped and not said.
  ///
  /// - Returns: false if there is no room for it, the first time.
  mutating func note(_ unsaid: [ReadingStanding.Unsaid], _ now: Moment) -> Bool {
    guard unsaid != standing.unsaid else { return true }
    standing.unsaid = unsaid
    return note(now)
  }

  /// Notes the average size of what entries are made of.
  mutating func note(entryBytes: Int) { standing.entryBytes = UInt64(max(0, entryBytes)) }

  /// Has both copies say what was noted last.
  func finish() { part.noteAgain() }

  /// Notes everything.
  ///
  /// - Returns: false if there is no room for so much, the first time.
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
