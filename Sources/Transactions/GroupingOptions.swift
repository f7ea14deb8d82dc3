public import VarnishLog

/// What makes a group.
public enum Grouping: Sendable {
  /// One transaction.
  case vxid
  /// A client request with its restarts, its ESI fragments and all fetches.
  case request
  /// Everything of one connection.
  case session
}

/// Which transactions are not even begun (`grouping.md` 8).
public enum CandidateRule: Sendable {
  /// Every transaction is grouped: up to 6.5, and the 6.0 line.
  case everything
  /// A transaction that its `Begin` can rule out isn't begun: 6.6 to 7.2. Sessions are among them
  /// unless they are groups, and ESI fragments are told by the reason in their `Begin`.
  case bySide
  /// A transaction that its `Begin` can rule out isn't begun: 7.3 and newer. Sessions are
  /// among them only with groups of requests, and ESI fragments are told by the level in their `Begin`.
  case bySideAndLevel
}

/// How records become groups.
public struct GroupingOptions: Sendable, Equatable {
  /// What makes a group.
  public var grouping: Grouping
  /// The most transactions that are kept open; the oldest is ended to make room.
  public var openTransactionsMax = 1000
  /// How long a transaction may be open before it is ended, in nanoseconds.
  public var timeoutNanoseconds: Int64 = 120_000_000_000
  /// The records that have to survive until the group is finished; others needn't.
  public var kept = PickWish.all
  /// Which transactions are not even begun.
  public var candidateRule: CandidateRule
  /// Whether transactions of clients and of backends are wanted, and ESI fragments.
  public var wantsClient: Bool, wantsBackend: Bool, wantsESI: Bool

  /// The most bytes that are stored of one unfinished transaction.
  ///
  /// A server never comes near it.
  public static let storedBytesMax = 16 << 20

  /// Makes options with the usual limits.
  public init(
    grouping: Grouping, candidateRule: CandidateRule, wantsClient: Bool, wantsBackend: Bool,
    wantsESI: Bool
  ) {
    self.grouping = grouping
    self.candidateRule = candidateRule
    self.wantsClient = wantsClient
    self.wantsBackend = wantsBackend
    self.wantsESI = wantsESI
  }

  /// The side whose transactions are of no use, independent of their content; nil if there is none.
  public var unwantedSide: Side? { Candidates(self).unwantedSide }
}
