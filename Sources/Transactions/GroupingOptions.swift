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
  /// Everything is grouped: up to 6.5, and the 6.0 line.
  case everything
  /// 6.6 to 7.2: what can be ruled out at its `Begin` is.
  case bySide
  /// 7.3 and newer: also, the level tells ESI fragments.
  case bySideAndLevel
}

/// How records become groups.
public struct GroupingOptions: Sendable, Equatable {
  /// What makes a group.
  public var grouping: Grouping
  /// More transactions than this are not kept open; the oldest is ended to make room.
  public var openTransactionsMax = 1000
  /// A transaction open for longer is ended.
  ///
  /// Nanoseconds.
  public var timeoutNanoseconds: Int64 = 120_000_000_000
  /// Other records need not survive until the group is finished.
  public var kept = PickWish.all
  /// What is left out from the beginning.
  public var candidateRule: CandidateRule
  /// Whether transactions of clients and of backends are wanted, and ESI fragments.
  public var wantsClient: Bool, wantsBackend: Bool, wantsESI: Bool

  /// The most that is stored of one unfinished transaction.
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
