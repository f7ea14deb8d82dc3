/// The counters of a spool at one moment.
public struct SpoolUsage: Sendable, Equatable {
  /// Entries that an earlier run had put away.
  public var inherited: Tally
  /// Entries that the producer has published.
  public var committed: Tally
  /// Entries that the consumer has taken, inherited ones included.
  public var taken: Tally
  /// Entries put away for the next run at the end.
  public var kept: Tally
  /// Entries that came back damaged from the disk.
  public var damaged: Tally
  /// Memory held now, kept blocks included.
  public var memoryBytes: Int
  /// The most memory ever held.
  public var memoryBytesMax: Int
  /// The size of the files on disk.
  public var diskBytes: Int

  /// Entries that wait for the consumer.
  public var waiting: Tally { inherited + committed - taken - damaged }
}
