/// Metrics in a form that Prometheus reads.
struct Exposition {
  /// The form in which metrics are written.
  enum Form: Sendable {
    /// The text format, 0.0.4.
    case text
    /// OpenMetrics 1.0.
    case openMetrics

    /// The form's value for the HTTP field `Content-Type`.
    var contentType: String {
      switch self {
      case .text: "text/plain; version=0.0.4; charset=utf-8"
      case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
      }
    }
  }

  private let form: Form
  private(set) var bytes: [UInt8] = []

  /// Writes families, whose names must all be different.
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

  /// The name and the type in a family's header lines.
  ///
  /// In OpenMetrics only the samples of a counter have the suffix `_total`, not the family; so a counter of
  /// the server, whose name is given, can't be declared a counter.
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
    // Written in decimal from the microseconds, which is exact; a binary fraction wouldn't be.
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

  /// Writes a text to the current line; escapes backslashes, line feeds and, if asked for, quotation marks.
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
