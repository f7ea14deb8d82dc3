public import Pipeline

/// What a demonstration is told.
public struct DemoOptions: Sendable {
  /// How lines are made; where the log is and where they go is the demonstration's own business.
  public var configuration: Configuration
  /// Where the log is written; nil takes a new directory that is removed at the end.
  public var directory: String?
  /// How many requests a second there are at the beginning.
  public var rate = 50.0
  /// After how many requests it ends; nil is never.
  public var count: Int?
  /// After how many seconds it ends; nil is never.
  public var seconds: Double?
  /// What the traffic depends on; nil is different every time.
  public var seed: UInt64?
  /// Whether there may be a panel on a terminal.
  public var showsPanel = true

  /// Options with the usual defaults.
  public init() {
    configuration = Configuration(input: InputConfiguration(.instance(nil)))
    // Small enough that one can watch it fill up.
    configuration.process.spoolBytes = 16 << 20
    configuration.process.hangup = .end
  }

  /// Whether it ends by itself.
  var endsByItself: Bool { count != nil || seconds != nil }
}
