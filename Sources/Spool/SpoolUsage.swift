/// The numbers of a spool at one moment.
public struct SpoolUsage: Sendable, Equatable {
  /// What an earlier run had put away.
  public var inherited: Tally
  /// What the producer has made visible.
  public var committed: Tally
  /// What the consumer has taken, inherited entries included.
  public var taken: Tally
  /// What was put away for the next run, at the end.
  public var kept: Tally
  /// What came back damaged from the disk.
  public var damaged: Tally
  /// Memory held now, kept blocks included.
  public var memoryBytes: Int
  /// The most memory ever held.
  public var memoryBytesMax: Int
  /// The size of the files on disk.
  public var diskBytes: Int

  /// What is waiting for the consumer.
  public var waiting: Tally { inherited + committed - taken - damaged }
}
