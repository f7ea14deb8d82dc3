/// A command line, and what its standard streams are connected to.
public struct Command: Sendable {
  /// What a child reads.
  public enum Input: Sendable {
    /// `/dev/null`.
    case null
    /// A file.
    case file(String)
    /// A pipe that delivers these bytes and then ends.
    case bytes([UInt8])
  }

  /// Where a child's output goes.
  public enum Output: Sendable {
    /// A pipe that the harness reads as fast as it can.
    case collected
    /// A pipe that isn't read before `OutputPipe.wake()`: a stuck consumer.
    case unread
    /// A file, made or replaced.
    case file(String)

    var isUnread: Bool {
      if case .unread = self { true } else { false }
    }
  }

  /// The executable, a path or a name to be found in `$PATH`.
  public var executable: String
  /// The arguments after the name.
  public var arguments: [String]
  /// The name the child is called by; the executable's path if `nil`.
  public var name: String?
  /// Changes to this process's environment; `nil` removes a variable.
  public var environment: [String: String?]
  /// What the child reads.
  public var input: Input = .null
  /// Where its standard output goes.
  public var output: Output = .collected
  /// Where its standard error goes.
  public var errorOutput: Output = .collected
  /// Whether standard error goes where standard output goes.
  public var mergesErrorOutput = false

  /// Creates a command with an empty input and both outputs collected.
  public init(
    _ executable: String, _ arguments: [String] = [], name: String? = nil,
    environment: [String: String?] = [:]
  ) {
    self.executable = executable
    self.arguments = arguments
    self.name = name
    self.environment = environment
  }
}
