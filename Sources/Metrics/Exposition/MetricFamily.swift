/// All that goes by one name: what it is, and its values by their labels.
struct MetricFamily {
  /// How values behave.
  enum Kind {
    /// They only grow, until the process begins anew; the name ends in `_total`.
    case counter
    /// They go up and down.
    case gauge
    /// How many of something were how large.
    case histogram
    /// They only grow, and have a name that was given by others, which may not say so.
    case foreignCounter
  }

  let name: String
  let kind: Kind
  /// What it is, in one line.
  let help: String
  var samples: [MetricSample] = []

  init(_ name: String, _ kind: Kind, _ help: String, _ samples: [MetricSample] = []) {
    self.name = name
    self.kind = kind
    self.help = help
    self.samples = samples
  }
}

/// A value, and what tells it from others of its family.
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

/// One of the things by which values of a family are told apart.
struct MetricLabel: Hashable {
  let name: String
  let value: [UInt8]

  init(_ name: String, _ value: [UInt8]) {
    self.name = name
    self.value = value
  }

  init(_ name: String, _ value: String) { self.init(name, Array(value.utf8)) }
}

/// How many times took how long.
struct Histogram {
  let bounds: BucketBounds
  /// For each bound how many are not above it, and above those before; at the end how many are above all.
  let counts: ArraySlice<UInt64>
  /// All times together.
  let microseconds: UInt64
}
