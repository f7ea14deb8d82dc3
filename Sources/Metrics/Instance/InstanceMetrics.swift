import LogReading
import Platform

/// The place of the counters of the server whose log is read.
public enum InstancePlace: Sendable, Hashable {
  /// The directory of an instance.
  case directory(String)
  /// The one file of shared memory that a server before 5.2 uses.
  case file(String)
}

/// Reads a server's counters each time they are asked for; no values are cached.
struct InstanceMetrics: ~Copyable {
  private var instance: InstanceFollower

  init(_ place: InstancePlace) {
    switch place {
    case .directory(let path): instance = InstanceFollower(path: path)
    case .file(let path): instance = InstanceFollower(file: path)
    }
  }

  /// The current counters, and whether the server is up; for a server that is gone, only the latter.
  mutating func families() -> [MetricFamily] {
    instance.refresh()
    let sample = instance.deadManager == nil ? (try? instance.sampleCounters()) ?? nil : nil
    let isUp = sample.map { !$0.sections.isEmpty } ?? false
    let up = MetricFamily(
      "varnish_up", .gauge, "Whether there is a server, and its counters can be read.",
      [MetricSample(isUp ? 1 : 0)])
    return [up] + (sample.map(Self.families) ?? [])
  }

  /// The counters of a sample as metrics.
  static func families(_ sample: CounterSample) -> [MetricFamily] {
    var families: [MetricFamily] = []
    var places: [String: Int] = [:]
    var samples: [Series: (family: Int, sample: Int)] = [:]
    func add(_ name: CounterName, _ kind: MetricFamily.Kind, _ help: String, _ value: UInt64) {
      let place = places[name.name] ?? families.count
      if place == families.count {
        places[name.name] = place
        families.append(MetricFamily(name.name, kind, help))
      }
      let series = Series(name: name.name, labels: name.labels)
      if let former = samples[series] {
        // Of two sections of the same name, the later one counts.
        families[former.family].samples[former.sample].value = .whole(value)
      } else {
        samples[series] = (place, families[place].samples.count)
        families[place].samples.append(MetricSample(.whole(value), name.labels))
      }
    }
    let backends = backends(of: sample)
    for (section, backend) in zip(sample.sections, backends) where !section.descriptions.isRaw {
      for (counter, value) in zip(section.descriptions.counters, section.values) {
        guard let value else { continue }
        let name = CounterName(section: section.name, counter: counter.name, backend: backend)
        let help = counter.summary.isEmpty ? "\(section.name).\(counter.name)" : counter.summary
        // A gauge below zero is shown as 0, as varnishstat does it.
        let isBelowZero = counter.kind == .gauge && value > UInt64(Int64.max)
        add(name, counter.kind.metric, help, isBelowZero ? 0 : value)
        if backend != nil, counter.name == "happy" {
          var up = name
          up.name = "varnish_backend_up"
          add(up, .gauge, "Whether the latest health probe of a backend succeeded.", value & 1)
        }
      }
    }
    return families
  }

  private struct Series: Hashable {
    let name: String
    let labels: [MetricLabel]
  }

  /// The labels of the backends among the sections, in the sections' order.
  ///
  /// Of backends with the same short name, the one that is listed last has it: it belongs to the newest VCL.
  private static func backends(of sample: CounterSample) -> [BackendLabels?] {
    var taken: Set<BackendLabels> = []
    return sample.sections.reversed().map { section in
      guard let short = BackendLabels(section: section.name, isShort: true) else { return nil }
      return taken.insert(short).inserted ? short : BackendLabels(section: section.name, isShort: false)
    }.reversed()
  }
}

extension Counter.Kind {
  /// The kind of metric for a kind of counter.
  fileprivate var metric: MetricFamily.Kind {
    switch self {
    case .counter, .unknown: .foreignCounter
    case .gauge, .bitmap: .gauge
    }
  }
}
