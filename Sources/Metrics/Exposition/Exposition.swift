/// Metrics as Prometheus reads them.
struct Exposition {
  /// How they are written.
  enum Form: Sendable {
    /// The text format, 0.0.4.
    case text
    /// OpenMetrics 1.0.
    case openMetrics

    /// What HTTP calls it.
    var contentType: String {
      switch self {
      case .text: "text/plain; version=0.0.4; charset=utf-8"
      case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
      }
    }
  }

  private let form: Form
  private(set) var bytes: [UInt8] = []

  /// Writes families, of which no two have one name.
  static func bytes(of families: [MetricFamily], _ form: Form) -> [UInt8] {
    var exposition = Exposition(form: form)
    exposition.bytes.reserveCapacity(64 << 10)
    for family in families where !family.samples.isEmpty { exposition.write(family) }
    if form == .openMetrics { exposition.bytes += "# EOF\n".utf8 }
    return exposition.bytes
  }

  private init(form: Form) { self.form = form }

  private mutating func write(_ family: MetricFamily) {
    let (name, type) = head(of: family)
    bytes += "# HELP \(name) ".utf8
    write(escaped: Array(family.help.utf8), quotes: form == .openMetrics)
    bytes += "\n# TYPE \(name) \(type)\n".utf8
    for sample in family.samples {
      switch sample.value {
      case .whole(let value): write(family.name, sample.labels, "\(value)")
      case .real(let value): write(family.name, sample.labels, Self.text(value))
      case .histogram(let histogram): write(family.name, sample.labels, histogram)
      }
    }
  }

  /// What stands at the beginning of a family.
  ///
  /// In OpenMetrics a counter's samples alone have the `_total`, and a name that others have given can't be a counter's.
  private func head(of family: MetricFamily) -> (name: String, type: String) {
    let total = "_total"
    switch (family.kind, form) {
    case (.counter, .text): return (family.name, "counter")
    case (.counter, .openMetrics): return (String(family.name.dropLast(total.count)), "counter")
    case (.gauge, _): return (family.name, "gauge")
    case (.histogram, _): return (family.name, "histogram")
    case (.foreignCounter, .text): return (family.name, family.name.hasSuffix(total) ? "counter" : "untyped")
    case (.foreignCounter, .openMetrics): return (family.name, "unknown")
    }
  }

  private mutating func write(_ name: String, _ labels: [MetricLabel], _ histogram: Histogram) {
    var sum: UInt64 = 0
    for (count, bound) in zip(histogram.counts, histogram.bounds.texts + ["+Inf"]) {
      sum &+= count
      write(name + "_bucket", labels + [MetricLabel("le", bound)], "\(sum)")
    }
    let (seconds, rest) = histogram.microseconds.quotientAndRemainder(dividingBy: 1_000_000)
    // Exactly, as no number in binary is.
    let digits = "\(rest)"
    let zeros = String(repeating: "0", count: 6 - digits.count)
    write(name + "_sum", labels, "\(seconds).\(zeros)\(digits)")
    write(name + "_count", labels, "\(sum)")
  }

  private mutating func write(_ name: String, _ labels: [MetricLabel], _ value: String) {
    bytes += name.utf8
    if !labels.isEmpty {
      bytes.append(UInt8(ascii: "{"))
      for (index, label) in labels.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        bytes += label.name.utf8
        bytes += "=\"".utf8
        write(escaped: label.value, quotes: true)
        bytes.append(UInt8(ascii: "\""))
      }
      bytes.append(UInt8(ascii: "}"))
    }
    bytes.append(UInt8(ascii: " "))
    bytes += value.utf8
    bytes.append(UInt8(ascii: "\n"))
  }

  /// Writes a text on the line that it stands in.
  private mutating func write(escaped text: [UInt8], quotes: Bool) {
    for byte in text {
      switch byte {
      case UInt8(ascii: "\\"): bytes += "\\\\".utf8
      case UInt8(ascii: "\n"): bytes += "\\n".utf8
      case UInt8(ascii: "\"") where quotes: bytes += "\\\"".utf8
      default: bytes.append(byte)
      }
    }
  }

  private static func text(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return "\(value)"
  }
}
