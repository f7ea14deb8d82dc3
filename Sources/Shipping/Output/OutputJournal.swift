public import Checkpoints
public import Spool
import Synchronization

/// Keeps an output's progress up to date in its part of a checkpoint; used by the output's thread alone.
///
/// What is noted is a mark, which means the same to another run. Which mark belongs to a sequence is remembered from
/// when the entries were taken until they are settled.
public final class OutputJournal: @unchecked Sendable {
  // All members but the atomic are used by one thread only.

  private let part: OutputPart
  private var standing: OutputStanding
  /// The batch that is being written.
  private var batch: EntryBatch?
  /// For each sequence at which a call of the sink has ended, the mark in front of which all entries before
  /// that sequence lie; valid from index `first` on.
  private var points: [Point] = []
  private var first = 0
  /// The sequence noted last, and below the one noted before it, which counts if the newest copy is damaged.
  private var noted: Int
  private let safelyNoted: Atomic<Int>

  private struct Point {
    let sequence: Int
    let done: EntryMark
  }

  /// Continues from a standing, which is noted at once.
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

  /// The sequence in front of which all entries are settled, by either copy of the checkpoint; for any
  /// thread.
  public var settledThrough: Int { safelyNoted.load(ordering: .acquiring) }

  // MARK: For the output's loop

  /// Takes note of a batch that the sink is about to be given.
  public func begin(_ batch: EntryBatch) { self.batch = batch }

  /// Takes note of how much of the batch the sink has taken.
  ///
  /// - Parameter sequence: of the entry that comes next.
  public func end(at sequence: Int) {
    if let done = doneMark(at: sequence), sequence > (points.last?.sequence ?? noted) {
      points.append(Point(sequence: sequence, done: done))
    }
    batch = nil
  }

  /// Notes up to where entries are settled, and the file position of that; a write up to there is pending no
  /// more.
  ///
  /// A sink that goes on in another file within one call notes that itself before.
  public func settle(through sequence: Int, at place: OutputPlace?) {
    let isTurn = place?.file != standing.place?.file
    if let done = doneMark(at: sequence) { standing.done = max(standing.done, done) }
    standing.sequence = sequence
    standing.place = place
    // A write that happened only in part may have left bytes in the file that couldn't be cut off yet.
    if isTurn || sequence >= standing.pending?.sequence ?? sequence { standing.pending = nil }
    note(isTurn: isTurn)
    while first < points.count, points[first].sequence <= sequence { first += 1 }
    if first == points.count || first > 1024 {
      points.removeFirst(first)
      first = 0
    }
  }

  /// Brings both copies of the checkpoint up to the last note, for when nothing more comes for a while.
  ///
  /// - Returns: whether that has advanced the progress that both copies have.
  @discardableResult
  public func rest() -> Bool {
    guard safelyNoted.load(ordering: .relaxed) != noted else { return false }
    part.noteAgain()
    safelyNoted.store(noted, ordering: .releasing)
    return true
  }

  // MARK: For a sink that writes files

  /// Notes that entries up to a sequence are about to be written, and the length that the file will have
  /// then.
  public func willWrite(through sequence: Int, upTo place: OutputPlace) {
    guard let done = doneMark(at: sequence) else { return }
    standing.pending = OutputStanding.Pending(
      done: done, sequence: sequence, byteCount: place.byteCount)
    note(isTurn: place.file != standing.place?.file)
  }

  /// Notes that the output continues at the beginning of another file, before anything is written to it.
  public func willBegin(_ place: OutputPlace) {
    standing.place = place
    standing.pending = nil
    note(isTurn: true)
  }

  /// Says that all that was noted as written is on the disk.
  public func didSync() { part.noteSynced() }

  // MARK: Noting

  private func note(isTurn: Bool) {
    // A standing without news isn't written, so that the older copy stays as it is.
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
