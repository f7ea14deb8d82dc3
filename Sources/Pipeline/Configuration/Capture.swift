/// Captured logs, and how they are read.
public struct Capture: Sendable, Equatable {
  /// Paths of files, directories and archives, or of a member of an archive; "-" is standard input.
  public var inputs: [String]
  /// Whether damaged parts are searched for records.
  public var salvages = false

  /// Whether the logs are read side by side, and what is made of them is put in the order of time.
  public var merges = false

  /// Logs that are read one after the other.
  public init(_ inputs: [String]) { self.inputs = inputs }
}
