/// The numbers of a spool at one moment.
public struct SpoolUsage: Sendable, Equatable {
  /// What the producer has made visible.
  public var committed: Tally
  /// What the consumer has taken.
  public var taken: Tally
  /// How many records found no room.
  public var droppedRecords: Int
  /// Memory held now, kept blocks included.
  public var memoryBytes: Int
  /// The most memory ever held.
  public var memoryBytesMax: Int

  /// What is waiting for the consumer.
  public var waiting: Tally { committed - taken }
}
