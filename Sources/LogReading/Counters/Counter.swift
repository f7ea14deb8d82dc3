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

  /// The unit of a counter's value.
  public enum Format: String, Sendable {
    /// A plain number of things.
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

  /// The purpose for which a counter is of interest.
  public enum Level: Int, Sendable, CaseIterable, Comparable {
    /// General interest.
    case info
    /// Diagnosis.
    case diag
    /// Diagnosis of faults in the server itself.
    case debug

    /// Orders levels from general to special interest.
    public static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
  }

  /// The counter's name, which follows the section's.
  public let name: String
  /// One line of explanation.
  public let summary: String
  /// The full explanation.
  public let details: String
  /// How its value behaves.
  public let kind: Kind
  /// The unit of its value.
  public let format: Format
  /// The purpose for which it is of interest.
  public let level: Level
  /// The offset of the value behind the section's head, in bytes.
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
