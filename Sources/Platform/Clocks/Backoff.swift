/// Pauses that grow: each is twice as long as the one before, up to a limit.
package struct Backoff {
  private let nanosecondsMin: Int64
  private let nanosecondsMax: Int64
  private var upcoming: Int64

  package init(nanoseconds range: ClosedRange<Int64>) {
    nanosecondsMin = range.lowerBound
    nanosecondsMax = range.upperBound
    upcoming = range.lowerBound
  }

  /// The pause to make now.
  package mutating func next() -> Int64 {
    defer { upcoming = min(upcoming * 2, nanosecondsMax) }
    return upcoming
  }

  /// Begins with the shortest again.
  package mutating func reset() { upcoming = nanosecondsMin }
}
