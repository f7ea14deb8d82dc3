/// A metric: its name, its kind, and its values by their labels.
struct MetricFamily {
  /// How a metric's values change.
  enum Kind {
    /// They only grow, until the process restarts; the name ends in `_total`.
    case counter
    /// They go up and down.
    case gauge
    /// They count observations by size.
    case histogram
    /// They only grow; the name is given by the server and needn't end in `_total`.
    case foreignCounter
  }

  let name: String
  let kind: Kind
  /// The metric's description, in one line.
  let help: String
  var samples: [MetricSample] = []

  init(_ name: String, _ kind: Kind, _ help: String, _ samples: [MetricSample] = []) {
    self.name = name
    self.kind = kind
    self.help = help
    self.samples = samples
  }
}

/// A value, with the labels that distinguish it from others of its family.
struct MetricSample {
  enum Value {
    case whole(UInt64)
    case real(Double)
    case histogram(Histogram)
  }

  var labels: [MetricLabel]
  var value: Value

  init(_ value: Value, _ labels: [MetricLabel] = []) {
    self.labels = labels
    self.value = value
  }

  /// A count, which is never below zero.
  init(_ count: Int, _ labels: [MetricLabel] = []) { self.init(.whole(UInt64(max(0, count))), labels) }
}

/// The name and the value of a label, which distinguishes samples of a family.
struct MetricLabel: Hashable {
  let name: String
  let value: [UInt8]

  init(_ name: String, _ value: [UInt8]) {
    self.name = name
    self.value = value
  }

  init(_ name: String, _ value: String) { self.init(name, Array(value.utf8)) }
}

/// A histogram of times.
struct Histogram {
  let bounds: BucketBounds
  /// The number of times in each bucket: above the bound before it, up to its own; the last bucket has no
  /// bound.
  let counts: ArraySlice<UInt64>
  /// The sum of all times.
  let microseconds: UInt64
}
