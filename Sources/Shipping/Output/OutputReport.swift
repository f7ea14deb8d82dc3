public import Platform
public import Spool

/// What became of an output's entries: every entry is in exactly one of these numbers, except those that
/// found no room in the spool, which are in none.
public struct OutputReport: Sendable, Equatable {
  /// Entries that an earlier run had left on disk for this one.
  public var inherited: Tally
  /// Entries that the sink has taken whole and handed on.
  public var written: Tally
  /// Entries that the peer's system had taken when a connection was reset, so that they were perhaps never
  /// read.
  public var unconfirmed: Tally
  /// Entries discarded because the output had failed, or lost together with a consumer.
  public var droppedByFailure: Tally
  /// Entries larger than the largest message that the consumer takes.
  public var droppedAsTooLarge: Tally
  /// Entries that came back damaged from the spool's disk.
  public var droppedByDamage: Tally
  /// Entries that could not be delivered and were left on disk for the next run.
  public var kept: Tally
  /// Entries that were committed but had not been taken whole when the time was over.
  public var undelivered: Tally
  /// Why the output failed, if it did.
  public var failure: SystemError?

  /// How many entries were lost on the way, for any reason.
  public var lostEntries: Int {
    droppedByFailure.entries + droppedAsTooLarge.entries + droppedByDamage.entries + undelivered.entries
      + unconfirmed.entries
  }
}
