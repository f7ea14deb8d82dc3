/// What is told, and where.
public struct MetricsSettings: Sendable, Hashable {
  /// Where it is served; nil serves nowhere.
  public var listen: ListenAddress?
  /// A file that is written every so often; nil writes none.
  public var textfile: String?
  /// How often.
  public var textfileNanoseconds: Int64 = 15_000_000_000
  /// What is told of requests.
  public var requests = RequestSettings()
  /// Where the server's counters are; nil if a captured log is read.
  public var instance: InstancePlace?

  /// Nothing is served or written.
  public init() {}
}
