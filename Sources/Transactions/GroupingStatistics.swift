/// What happened to transactions on their way to an output.
public struct GroupingStatistics: Sendable, Equatable {
  /// Transactions handed on in groups.
  public var delivered = 0
  /// Transactions of groups whose root is not what the grouping asks for.
  public var discarded = 0
  /// How many groups those were.
  public var discardedGroups = 0
  /// Transactions that were ended because they took too long.
  public var timedOut = 0
  /// Transactions that were ended to make room.
  public var overflowed = 0
  /// Transactions that were ended because the log was interrupted.
  public var flushed = 0
  /// Pieces of transactions whose beginning was never seen.
  public var orphans = 0
  /// Transactions that were ruled out at their beginning.
  public var ruledOut = 0

  /// Makes statistics in which every count is 0.
  public init() {}
}
