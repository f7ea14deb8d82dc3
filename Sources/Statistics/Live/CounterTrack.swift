import LogReading

/// What one counter has done since it was first looked at: how it changes, and its averages.
struct CounterTrack {
  /// Over how many seconds averages are taken.
  static let spans = [10, 100, 1000]

  /// How much it grew in a second between the last two looks; nil at the first.
  private(set) var change: Double?
  /// Whether it, or an earlier counter of the same name, was ever anything but 0.
  private(set) var hasBeenSeen: Bool
  private let life: String
  private let kind: Counter.Kind
  private var value: UInt64
  private var nanoseconds: Int64
  /// The quantity whose differences give averages: how much a counter has grown, or the area under a gauge.
  private var quantity = 0.0
  private var windows: [Window]

  /// The quantity at some moments of a span.
  private struct Window {
    let spacingNanoseconds: Int64
    let spanNanoseconds: Int64
    /// The oldest first; the first may be a little older than the span.
    var moments: [(nanoseconds: Int64, quantity: Double)]

    /// Keeps a moment for each twentieth of a span, so that there are few, and none more often than the
    /// counters are looked at.
    init(seconds: Int, at nanoseconds: Int64) {
      spanNanoseconds = Int64(seconds) * 1_000_000_000
      spacingNanoseconds = spanNanoseconds / 20
      moments = [(nanoseconds, 0)]
    }

    mutating func add(_ quantity: Double, at nanoseconds: Int64) {
      if let last = moments.last, nanoseconds - last.nanoseconds >= spacingNanoseconds {
        moments.append((nanoseconds, quantity))
      }
      while moments.count > 1, moments[1].nanoseconds <= nanoseconds - spanNanoseconds {
        moments.removeFirst()
      }
    }

    func average(_ quantity: Double, at nanoseconds: Int64) -> Double? {
      guard let first = moments.first, nanoseconds > first.nanoseconds else { return nil }
      return (quantity - first.quantity) / (Double(nanoseconds - first.nanoseconds) / 1e9)
    }
  }

  /// Begins with the present value.
  init(_ entry: ShownCounters.Entry, at nanoseconds: Int64) {
    life = entry.life
    kind = entry.counter.kind
    value = entry.value
    hasBeenSeen = entry.value != 0
    self.nanoseconds = nanoseconds
    windows = Self.spans.map { Window(seconds: $0, at: nanoseconds) }
  }

  /// Adds the present value; begins anew if it is another counter of the same name, or the counter has begun
  /// anew itself.
  mutating func add(_ entry: ShownCounters.Entry, at now: Int64) {
    let isSame =
      entry.life == life && entry.counter.kind == kind && (kind != .counter || entry.value >= value)
    guard isSame, now >= nanoseconds else {
      let hadBeenSeen = hasBeenSeen
      self = CounterTrack(entry, at: now)
      hasBeenSeen = hasBeenSeen || hadBeenSeen
      return
    }
    let seconds = Double(now - nanoseconds) / 1e9
    let growth = entry.value >= value ? Double(entry.value - value) : -Double(value - entry.value)
    if seconds > 0 { change = growth / seconds }
    quantity += kind == .gauge ? (Double(value) + growth / 2) * seconds : growth
    hasBeenSeen = hasBeenSeen || entry.value != 0
    (value, nanoseconds) = (entry.value, now)
    for index in windows.indices { windows[index].add(quantity, at: now) }
  }

  /// The counter's growth in a second, or a gauge's mean value, over one of the spans; nil before there are
  /// two looks.
  func average(_ span: Int) -> Double? { windows[span].average(quantity, at: nanoseconds) }
}
