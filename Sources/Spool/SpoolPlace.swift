/// A place between two entries of a spool, as its reader has come by.
public struct SpoolPlace: Sendable, Equatable {
  /// The sequence of the entry behind it.
  public var sequence: Int
  /// The tally of the entries read in front of the place in this run.
  ///
  /// Sequences may have gaps where entries were lost or damaged; the tally has none.
  public var read: Tally

  /// A place with a sequence and a tally.
  public init(sequence: Int, read: Tally = .zero) {
    self.sequence = sequence
    self.read = read
  }

  /// The place behind as many following entries, none of which is missing.
  package func advanced(by entries: Tally) -> SpoolPlace {
    SpoolPlace(sequence: sequence + entries.entries, read: read + entries)
  }
}

/// Entries of a spool that follow one another.
public struct EntryStretch: Sendable, Equatable {
  /// Their sequences, which may include those of entries that were lost before.
  public var sequences: Range<Int>
  /// Their number and size.
  public var tally: Tally

  /// Entries with these sequences and this tally.
  public init(sequences: Range<Int>, tally: Tally) {
    self.sequences = sequences
    self.tally = tally
  }

  /// The entries between two places.
  public init(from start: SpoolPlace, to end: SpoolPlace) {
    sequences = start.sequence..<max(start.sequence, end.sequence)
    tally = end.read - start.read
  }

  /// As many entries behind a place, none of which is missing.
  package init(_ tally: Tally, from start: SpoolPlace) {
    self.init(from: start, to: start.advanced(by: tally))
  }

  /// Appends entries that follow immediately.
  ///
  /// - Returns: false if they don't follow immediately.
  package mutating func extend(by next: EntryStretch) -> Bool {
    guard next.sequences.lowerBound == sequences.upperBound else { return false }
    sequences = sequences.lowerBound..<next.sequences.upperBound
    tally += next.tally
    return true
  }
}
