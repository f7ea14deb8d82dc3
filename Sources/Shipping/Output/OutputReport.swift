public import Platform
public import Spool

/// What became of the entries of one output, every one of which is in exactly one of these numbers; what found no
/// room in its spool is none.
public struct OutputReport: Sendable, Equatable {
  /// What an earlier run had left on disk for this one.
  public var inherited: Tally
  /// What the sink has taken whole and handed on.
  public var written: Tally
  /// What connections may have swallowed when they were reset: taken by the peer's system, perhaps never read.
  public var unconfirmed: Tally
  /// What was discarded because the output had failed, or went down with a consumer.
  public var droppedByFailure: Tally
  /// What the consumer never takes, as it is larger than one message may be.
  public var droppedAsTooLarge: Tally
  /// What came back damaged from the disk.
  public var droppedByDamage: Tally
  /// What could not be delivered and was left on disk for the next run.
  public var kept: Tally
  /// What was committed but had not been taken whole when the time was over.
  public var undelivered: Tally
  /// Why the output failed, if it did.
  public var failure: SystemError?

  /// How many entries were lost on the way, for any reason.
  public var lostEntries: Int {
    droppedByFailure.entries + droppedAsTooLarge.entries + droppedByDamage.entries + undelivered.entries
      + unconfirmed.entries
  }
}
