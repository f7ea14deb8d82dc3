/// A place between two entries of a spool, as its reader has come by.
public struct SpoolPlace: Sendable, Equatable {
  /// The sequence of the entry behind it.
  public var sequence: Int
  /// What was read in front of it in this run.
  ///
  /// Sequences may have gaps, where entries were lost or damaged; this has none.
  public var read: Tally

  /// A place with these numbers.
  public init(sequence: Int, read: Tally = .zero) {
    self.sequence = sequence
    self.read = read
  }

  /// The place behind so many entries that follow, none of which is missing.
  package func advanced(by entries: Tally) -> SpoolPlace {
    SpoolPlace(sequence: sequence + entries.entries, read: read + entries)
  }
}

/// Entries of a spool that follow one another.
public struct EntryStretch: Sendable, Equatable {
  /// Their sequences; those of entries that were lost before may be among them.
  public var sequences: Range<Int>
  /// How many they are, and how large.
  public var tally: Tally

  /// Entries with these numbers.
  public init(sequences: Range<Int>, tally: Tally) {
    self.sequences = sequences
    self.tally = tally
  }

  /// The entries between two places.
  public init(from start: SpoolPlace, to end: SpoolPlace) {
    sequences = start.sequence..<max(start.sequence, end.sequence)
    tally = end.read - start.read
  }

  /// So many entries behind a place, none of which is missing.
  package init(_ tally: Tally, from start: SpoolPlace) {
    self.init(from: start, to: start.advanced(by: tally))
  }

  /// Puts what follows immediately to these.
  ///
  /// - Returns: false if it doesn't.
  package mutating func extend(by next: EntryStretch) -> Bool {
    guard next.sequences.lowerBound == sequences.upperBound else { return false }
    sequences = sequences.lowerBound..<next.sequences.upperBound
    tally += next.tally
    return true
  }
}
