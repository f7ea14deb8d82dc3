public import Pipeline

/// The options of a demonstration.
public struct DemoOptions: Sendable {
  /// How lines are rendered; the demonstration itself sets the input and the target.
  public var configuration: Configuration
  /// Where the log is written; nil takes a new directory that is removed at the end.
  public var directory: String?
  /// Requests per second at the beginning.
  public var rate = 50.0
  /// The number of requests after which it ends; nil is never.
  public var count: Int?
  /// The number of seconds after which it ends; nil is never.
  public var seconds: Double?
  /// The seed of the traffic; nil takes another one each time.
  public var seed: UInt64?
  /// Whether there may be a panel on a terminal.
  public var showsPanel = true

  /// Options with the usual defaults.
  public init() {
    configuration = Configuration(input: InputConfiguration(.instance(nil)))
    // Small enough to see it fill up.
    configuration.process.spoolBytes = 16 << 20
    configuration.process.hangup = .end
  }

  /// Whether it ends by itself.
  var endsByItself: Bool { count != nil || seconds != nil }
}
