/// What the panel shows.
struct PanelFigures: Equatable {
  /// Transactions and lines a second.
  var seenRate = 0.0, writtenRate = 0.0
  /// How far reading is behind writing.
  var lagSeconds = 0.0, lagBytes = 0
  /// What waits for the consumer, and how much may.
  var spoolBytes = 0, spoolBytesMax = 0
  var seen = 0, written = 0, filtered = 0, dropped = 0, lost = 0
  /// How often the log was begun anew.
  var cycles = 0
  var hitPercentage = 0
  /// Requests a second that are asked for.
  var rate = 0.0
  /// Whether the consumer takes nothing at present.
  var isStalled = false
  var path = ""
}

/// Makes rates of numbers that grow: an average over the last second or so.
struct RateMeter {
  private var samples: [(nanoseconds: Int64, seen: Int, written: Int)] = []
  private static let sampleCount = 6

  /// - Returns: seen and written in a second.
  mutating func add(seen: Int, written: Int, at nanoseconds: Int64) -> (seen: Double, written: Double) {
    samples.append((nanoseconds, seen, written))
    if samples.count > Self.sampleCount { samples.removeFirst() }
    let first = samples[0]
    let seconds = Double(nanoseconds - first.nanoseconds) / 1e9
    guard seconds > 0 else { return (0, 0) }
    return (Double(seen - first.seen) / seconds, Double(written - first.written) / seconds)
  }
}
