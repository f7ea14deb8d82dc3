/// What one counter counts, as its log describes it.
public struct Counter: Sendable, Equatable {
  /// How its value behaves.
  public enum Kind: String, Sendable {
    /// It only grows, until its server begins anew.
    case counter
    /// It goes up and down.
    case gauge
    /// Each bit stands for itself.
    case bitmap
    /// Nothing is known of it, or nothing that is understood.
    case unknown
  }

  /// What its value is a number of.
  public enum Format: String, Sendable {
    /// Things.
    case integer
    /// Bytes.
    case bytes
    /// Bits.
    case bitmap
    /// Seconds.
    case duration
    /// Nothing is known of it, or nothing that is understood.
    case unknown
  }

  /// Who wants to see it.
  public enum Level: Int, Sendable, CaseIterable, Comparable {
    /// Everybody.
    case info
    /// Who looks for a fault.
    case diag
    /// Who looks for a fault in the server itself.
    case debug

    /// Orders them by how few want to see it.
    public static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
  }

  /// The name behind the section's.
  public let name: String
  /// One line of explanation.
  public let summary: String
  /// As much explanation as there is.
  public let details: String
  /// How its value behaves.
  public let kind: Kind
  /// What its value is a number of.
  public let format: Format
  /// Who wants to see it.
  public let level: Level
  /// Where it stands behind the section's head, in bytes.
  public let offset: Int

  /// A counter, described.
  package init(
    name: String, summary: String, details: String = "", kind: Kind, format: Format, level: Level = .info,
    offset: Int
  ) {
    self.name = name
    self.summary = summary
    self.details = details
    self.kind = kind
    self.format = format
    self.level = level
    self.offset = offset
  }
}
