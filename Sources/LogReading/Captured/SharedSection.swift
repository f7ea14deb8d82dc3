/// A piece of what a server shares: a section of its one file, or what an index lists.
public struct SharedSection: Sendable, Equatable {
  /// The owner: "manager" or "worker"; empty in the single file of a server before 5.2, which doesn't tell.
  public let owner: String
  /// The file that it is in.
  public let file: String
  /// The section's class, such as `Stat`; empty if it has none.
  public let kind: String
  /// The type within the class, in the single file of a server before 5.2; empty in an index.
  public let type: String
  /// The name within the class and type.
  public let name: String
  /// Where in the file it begins, with its header if it has one, and how long it is, in bytes.
  public let offset: Int, byteCount: Int
  /// What has become of it.
  public let state: State

  /// What has become of a piece.
  public enum State: String, Sendable {
    /// It is in use.
    case live
    /// It was given back, and stays as it was for some seconds.
    case cooling
    /// It was given back, or was never used.
    case free
    /// The index has taken it back.
    case removed
    /// The index lists it, and its file isn't there.
    case missing
    /// The index lists it, but its file is too short to hold all of it.
    case cut
    /// A file that no index lists.
    case unlisted
  }
}
