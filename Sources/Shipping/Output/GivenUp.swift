public import Spool

/// Entries that an output gives up: they don't arrive, or may not have arrived.
public struct GivenUp: Sendable, Equatable {
  /// Why entries were given up.
  public enum Cause: Sendable, CaseIterable {
    /// The output has failed for good.
    case outputFailed
    /// The consumer's connection ended before the consumer had taken the entries, which must not be sent
    /// twice.
    case consumerGone
    /// The entry is larger than anything that the consumer takes at once.
    case tooLarge
    /// The consumer's system had taken the entries, so that they counted as settled, but may have lost them
    /// when the connection was reset.
    case unconfirmed
  }

  /// The entries that were given up.
  public var entries: EntryStretch
  /// Why they were given up.
  public var cause: Cause

  /// Entries given up for a cause.
  public init(_ entries: EntryStretch, _ cause: Cause) {
    self.entries = entries
    self.cause = cause
  }
}
