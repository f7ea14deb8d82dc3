public import Spool

/// What becomes of the entries that were on their way to a consumer when it ended.
public enum RestartPolicy: String, Sendable, CaseIterable {
  /// They are sent to the next consumer, whole: each arrives at least once.
  case resend
  /// They are given up and counted: each arrives at most once.
  case drop
}

/// Options for consumers that come and go.
public struct LinkOptions: Sendable {
  /// What becomes of entries that a consumer had not taken.
  public var onRestart = RestartPolicy.resend
  /// What the entries are, and what every consumer gets first.
  public var content = EntryContent.lines()
  /// How the receiver at a socket finds the ends of entries; nil if the user hasn't chosen.
  public var framing: Framing?

  /// Lines without a header, each at least once.
  public init() {}
}
