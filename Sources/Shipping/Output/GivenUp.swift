public import Spool

/// Entries that a sink has taken, or would have, and that don't arrive, or may not have arrived.
public struct GivenUp: Sendable, Equatable {
  /// Why.
  public enum Cause: Sendable, CaseIterable {
    /// The output has failed for good.
    case outputFailed
    /// The consumer went before it had taken them, and they must not be sent twice.
    case consumerGone
    /// The consumer never takes as much as that at once.
    case tooLarge
    /// The consumer's system had taken them, so that they counted as settled, and may have lost them when the
    /// connection was reset.
    case unconfirmed
  }

  /// Which entries.
  public var entries: EntryStretch
  /// Why.
  public var cause: Cause

  /// Gives up entries.
  public init(_ entries: EntryStretch, _ cause: Cause) {
    self.entries = entries
    self.cause = cause
  }
}
