public import Spool

/// What becomes of the entries that were on their way to a consumer when it went.
public enum RestartPolicy: String, Sendable, CaseIterable {
  /// They go to the next one, whole: each arrives at least once.
  case resend
  /// They are given up and counted: each arrives at most once.
  case drop
}

/// How consumers that come and go are served.
public struct LinkOptions: Sendable {
  /// What becomes of what a consumer had not taken.
  public var onRestart = RestartPolicy.resend
  /// What the entries are, and what every consumer gets first.
  public var content = EntryContent.lines()
  /// How a connection's receiver tells one entry from the next; nil if that wasn't asked for.
  public var framing: Framing?

  /// Lines without a header, each at least once.
  public init() {}
}
