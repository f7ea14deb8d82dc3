/// A piece of what a server shares: a section of its one file, or what an index lists.
public struct SharedSection: Sendable, Equatable {
  /// Whose it is: "manager" or "worker"; empty in one file, where nothing tells.
  public let owner: String
  /// The file that it is in.
  public let file: String
  /// What it is, such as `Stat`; empty for what has no class.
  public let kind: String
  /// Which of a class, as in one file; empty in an index.
  public let type: String
  /// Which one of these.
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
    /// The index lists it, and its file ends in front of its end.
    case cut
    /// A file that no index lists.
    case unlisted
  }
}
