/// Pauses that grow: each is twice as long as the one before, up to a limit.
struct Backoff {
  private let nanosecondsMin: Int64
  private let nanosecondsMax: Int64
  private var upcoming: Int64

  init(nanoseconds range: ClosedRange<Int64>) {
    nanosecondsMin = range.lowerBound
    nanosecondsMax = range.upperBound
    upcoming = range.lowerBound
  }

  /// The pause to make now.
  mutating func next() -> Int64 {
    defer { upcoming = min(upcoming * 2, nanosecondsMax) }
    return upcoming
  }

  /// Begins with the shortest again.
  mutating func reset() { upcoming = nanosecondsMin }
}
