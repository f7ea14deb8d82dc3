public import LogReading

/// The counters of a sample that are shown, with their names.
public struct ShownCounters: Sendable {
  /// A counter that is shown.
  public struct Entry: Sendable {
    /// The whole name.
    public let name: String
    /// The counter's description.
    public let counter: Counter
    /// Its value, as it is shown.
    public let value: UInt64
    /// Identifies the section that it is in: a section of the same name that begins anew is another one.
    public let life: String

    /// A counter with its value.
    package init(name: String, _ counter: Counter, value: UInt64, life: String) {
      self.name = name
      self.counter = counter
      self.value = value
      self.life = life
    }
  }

  /// The counters, in the order of the instance.
  public let entries: [Entry]
  /// How long the worker and the manager have run.
  public let workerSeconds: UInt64, managerSeconds: UInt64

  /// Picks counters out of a sample.
  ///
  /// - Parameter isRaw: whether a gauge that was counted down further than up is shown as it stands, and not as 0.
  public init(_ sample: CounterSample, _ filter: CounterFilter = CounterFilter(), isRaw: Bool = false) {
    var entries: [Entry] = []
    for section in sample.sections {
      for (counter, value) in zip(section.descriptions.counters, section.values) {
        guard let value else { continue }
        let name = section.name(of: counter)
        guard filter.shows(name) else { continue }
        let isBelowZero = !isRaw && counter.kind == .gauge && value > UInt64(Int64.max)
        entries.append(
          Entry(name: name, counter, value: isBelowZero ? 0 : value, life: section.life))
      }
    }
    self.init(entries, workerSeconds: sample.workerSeconds, managerSeconds: sample.managerSeconds)
  }

  /// Counters that were picked.
  package init(_ entries: [Entry], workerSeconds: UInt64, managerSeconds: UInt64) {
    self.entries = entries
    self.workerSeconds = workerSeconds
    self.managerSeconds = managerSeconds
  }
}

extension ShownCounters.Entry {
  /// The counter's growth in a second of the worker's time; nil if its kind isn't `counter`.
  public func average(over seconds: UInt64) -> Double? {
    guard counter.kind == .counter else { return nil }
    return seconds > 0 ? Double(value) / Double(seconds) : 0
  }
}
