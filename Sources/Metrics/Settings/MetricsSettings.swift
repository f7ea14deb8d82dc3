/// Which metrics there are, and where they are served or written.
public struct MetricsSettings: Sendable, Hashable {
  /// The address at which metrics are served; nil serves none.
  public var listen: ListenAddress?
  /// The file to which metrics are written periodically; nil writes none.
  public var textfile: String?
  /// The interval between two writes, in nanoseconds.
  public var textfileNanoseconds: Int64 = 15_000_000_000
  /// The labels and the limits of metrics of requests.
  public var requests = RequestSettings()
  /// The place of the server's counters; nil if a captured log is read.
  public var instance: InstancePlace?

  /// Settings that neither serve nor write metrics.
  public init() {}
}
