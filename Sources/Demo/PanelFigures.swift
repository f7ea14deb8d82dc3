/// The figures that the panel shows.
struct PanelFigures: Equatable {
  /// Transactions and lines per second.
  var seenRate = 0.0, writtenRate = 0.0
  /// How far the log's reader is behind its writer.
  var lagSeconds = 0.0, lagBytes = 0
  /// The bytes of entries that wait for the consumer, and their limit.
  var spoolBytes = 0, spoolBytesMax = 0
  var seen = 0, written = 0, filtered = 0, dropped = 0, lost = 0
  /// How often the log's writer started over at the ring's beginning.
  var cycles = 0
  var hitPercentage = 0
  /// The rate of requests that is asked for, per second.
  var rate = 0.0
  /// Whether the consumer reads nothing at present.
  var isStalled = false
  var path = ""
}

/// Computes rates from growing counts: an average over about the last second.
struct RateMeter {
  private var samples: [(nanoseconds: Int64, seen: Int, written: Int)] = []
  private static let sampleCount = 6

  /// - Returns: the rates of seen and of written, per second.
  mutating func add(seen: Int, written: Int, at nanoseconds: Int64) -> (seen: Double, written: Double) {
    samples.append((nanoseconds, seen, written))
    if samples.count > Self.sampleCount { samples.removeFirst() }
    let first = samples[0]
    let seconds = Double(nanoseconds - first.nanoseconds) / 1e9
    guard seconds > 0 else { return (0, 0) }
    return (Double(seen - first.seen) / seconds, Double(written - first.written) / seconds)
  }
}
