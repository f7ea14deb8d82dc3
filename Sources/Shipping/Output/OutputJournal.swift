public import Checkpoints
public import Spool
import Synchronization

/// How far an output is, kept up to date in its part of a checkpoint; used by the output's thread alone.
///
/// What is noted is a mark, which means the same to another run. Which mark belongs to a sequence is remembered from
/// when the entries were taken until they are settled.
public final class OutputJournal: @unchecked Sendable {
  // All but the atomic is used by one thread.

  private let part: OutputPart
  private var standing: OutputStanding
  /// The batch that is being written.
  private var batch: EntryBatch?
  /// For sequences at which a call of the sink has ended, the mark in front of which all entries lie that came before;
  /// from `first` on.
  private var points: [Point] = []
  private var first = 0
  /// The last sequence that was noted, and the one before it, which counts should the newest copy be damaged.
  private var noted: Int
  private let safelyNoted: Atomic<Int>

  private struct Point {
    let sequence: Int
    let done: EntryMark
  }

  /// Goes on from a standing, which is noted at once.
  ///
  /// - Parameter sequence: the first entry of this run's spool.
  public init(_ part: OutputPart, from standing: OutputStanding, startingAt sequence: Int) {
    self.part = part
    self.standing = standing
    self.standing.sequence = sequence
    self.standing.pending = nil
    noted = sequence
    safelyNoted = Atomic(sequence)
    part.note(self.standing, isTurn: true)
  }

  /// In front of which sequence all entries are settled, whichever copy of the checkpoint is found; for any thread.
  public var settledThrough: Int { safelyNoted.load(ordering: .acquiring) }

  // MARK: For the output's loop

  /// Takes note of a batch that the sink is about to be given.
  public func begin(_ batch: EntryBatch) { self.batch = batch }

  /// Takes note of how much of it was taken.
  ///
  /// - Parameter sequence: of the entry that comes next.
  public func end(at sequence: Int) {
    if let done = doneMark(at: sequence), sequence > (points.last?.sequence ?? noted) {
      points.append(Point(sequence: sequence, done: done))
    }
    batch = nil
  }

  /// Notes up to where entries are settled, and where that is in a file; a write up to there is pending no more.
  ///
  /// A sink that goes on in another file within one call notes that itself before.
  public func settle(through sequence: Int, at place: OutputPlace?) {
    let isTurn = place?.file != standing.place?.file
    if let done = doneMark(at: sequence) { standing.done = max(standing.done, done) }
    standing.sequence = sequence
    standing.place = place
    // One that didn't happen as a whole may have left something in the file that couldn't be cut off yet.
    if isTurn || sequence >= standing.pending?.sequence ?? sequence { standing.pending = nil }
    note(isTurn: isTurn)
    while first < points.count, points[first].sequence <= sequence { first += 1 }
    if first == points.count || first > 1024 {
      points.removeFirst(first)
      first = 0
    }
  }

  /// Has both copies say what was noted last, for when nothing more comes for a while.
  ///
  /// - Returns: whether more is noted in both of them by that.
  @discardableResult
  public func rest() -> Bool {
    guard safelyNoted.load(ordering: .relaxed) != noted else { return false }
    part.noteAgain()
    safelyNoted.store(noted, ordering: .releasing)
    return true
  }

  // MARK: For a sink that writes files

  /// Says that entries up to a sequence are about to be written, behind which the file will be so long.
  public func willWrite(through sequence: Int, upTo place: OutputPlace) {
    guard let done = doneMark(at: sequence) else { return }
    standing.pending = OutputStanding.Pending(
      done: done, sequence: sequence, byteCount: place.byteCount)
    note(isTurn: place.file != standing.place?.file)
  }

  /// Says that the output goes on in another file, at its beginning, before anything is written to it.
  public func willBegin(_ place: OutputPlace) {
    standing.place = place
    standing.pending = nil
    note(isTurn: true)
  }

  /// Says that all that was noted as written is on the disk.
  public func didSync() { part.noteSynced() }

  // MARK: Noting

  private func note(isTurn: Bool) {
    // What says nothing new isn't written, and the older copy stays what it was.
    guard isTurn || standing != part.standing else { return }
    part.note(standing, isTurn: isTurn)
    safelyNoted.store(isTurn ? standing.sequence : noted, ordering: .releasing)
    noted = standing.sequence
  }

  /// The mark in front of which all entries lie that come before a sequence, or a lower one; nil if none is known.
  private func doneMark(at sequence: Int) -> EntryMark? {
    if let batch {
      let index = sequence - batch.start.sequence
      if index > 0, index <= batch.count { return batch.mark(of: index - 1).next }
    }
    var (low, high) = (first, points.count)
    while low < high {
      let middle = (low + high) / 2
      if points[middle].sequence <= sequence { low = middle + 1 } else { high = middle }
    }
    return low > first ? points[low - 1].done : nil
  }
}
