/// Entries with sequences that follow one another.
public struct EntryRun: Sendable, Equatable {
  /// The sequence of the first entry.
  public var firstSequence: Int
  /// The entries.
  public var entries: EntryList

  /// Entries from a sequence on.
  public init(firstSequence: Int, entries: EntryList) {
    self.firstSequence = firstSequence
    self.entries = entries
  }

  /// The sequence behind the last entry.
  package var endSequence: Int { firstSequence + entries.count }

  /// Appends entries if they follow immediately.
  ///
  /// - Returns: false if they don't follow.
  package mutating func append(_ batch: EntryBatch) -> Bool {
    guard batch.start.sequence == endSequence else { return false }
    let start = entries.bytes.count
    unsafe entries.bytes.append(contentsOf: batch.bytes)
    for index in 0..<batch.count {
      entries.ends.append(start + batch.endOffset(of: index))
      entries.marks.append(batch.mark(of: index))
    }
    return true
  }
}

/// Runs of entries, oldest first, that are taken from the front by their sequences.
struct EntryRuns {
  /// Some entries of a run.
  struct Piece {
    let run: EntryRun
    let range: Range<Int>

    var firstSequence: Int { run.firstSequence + range.lowerBound }
    var tally: Tally { run.entries.tally(range) }
  }

  private var runs: ArraySlice<EntryRun>
  /// How many of the first run's entries were taken.
  private var takenCount = 0

  init(_ runs: [EntryRun]) { self.runs = runs[...] }

  /// Takes all entries in front of a sequence.
  mutating func take(before sequence: Int) -> [Piece] {
    var pieces: [Piece] = []
    while let run = runs.first, run.firstSequence + takenCount < sequence {
      let end = min(run.entries.count, sequence - run.firstSequence)
      pieces.append(Piece(run: run, range: takenCount..<end))
      takenCount = end
      guard end == run.entries.count else { break }
      runs.removeFirst()
      takenCount = 0
    }
    return pieces
  }
}
