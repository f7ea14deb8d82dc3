/// Captured logs, and how they are read.
public struct Capture: Sendable, Equatable {
  /// Files, directories and archives, or what is in an archive; "-" is standard input.
  public var inputs: [String]
  /// Whether what is damaged is searched for records.
  public var salvages = false

  /// Whether they are read side by side, and what is made of them put in the order of its time.
  public var merges = false

  /// Logs that are read one after the other.
  public init(_ inputs: [String]) { self.inputs = inputs }
}
