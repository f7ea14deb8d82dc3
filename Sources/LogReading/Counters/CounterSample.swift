/// All that an instance counts, at one moment.
public struct CounterSample: Sendable {
  /// How an instance stores its counters, which decides what is known of them.
  public enum Layout: Sendable, Equatable {
    /// 2.0 to 5.1, and a `LogWriter` of one file.
    case singleFile
    /// 5.2: each section has its description behind it.
    case plainIndex
    /// 6.0 to 6.2: descriptions are sections of their own.
    case placedIndex
    /// 6.0.5 and later in 6.0, 6.3 and newer, and a `LogWriter`: the same, in an index whose lines have a
    /// sign.
    case signedIndex
  }

  /// What one section of counters holds.
  public struct Section: Sendable {
    /// What stands in front of its counters' names, such as `MAIN` or `VBE.boot.default`.
    public let name: String
    /// Tells the section from others of the same name, and from that of the same name before a restart.
    public let life: String
    /// The descriptions of its counters.
    public let descriptions: CounterDescriptions
    /// A value for each of them; nil where the section is too short to have it.
    public let values: [UInt64?]

    /// A counter's whole name.
    public func name(of counter: Counter) -> String {
      name + (descriptions.isRaw ? "@" : ".") + counter.name
    }
  }

  /// How the instance stores its counters.
  public let layout: Layout
  /// The sections, in the order in which the instance lists them.
  public let sections: [Section]
  /// Whether all that the instance lists could be taken in.
  public let isComplete: Bool

  /// The most counters that are taken in: more than any instance has.
  static let countMax = 1_000_000

  /// How long the worker has run, in seconds; 0 if there is none, or it doesn't tell.
  public var workerSeconds: UInt64 { value("MAIN", "uptime") ?? 0 }

  /// How long the manager has run, in seconds.
  public var managerSeconds: UInt64 { value("MGT", "uptime") ?? 0 }

  /// The value of a counter, by the section's name and its own; nil if there is none.
  public func value(_ sectionName: String, _ counterName: String) -> UInt64? {
    for section in sections where section.name == sectionName {
      if let index = section.descriptions.counters.firstIndex(where: { $0.name == counterName }),
        let value = section.values[index]
      {
        return value
      }
    }
    return nil
  }
}
