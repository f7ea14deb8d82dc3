/// Tells how many entries were published more than a second ago, by sampling the count of published entries.
struct SpoolLag {
  /// How long an entry may wait without being old.
  private static let patienceNanoseconds: Int64 = 1_000_000_000

  private var looked: (nanoseconds: Int64, count: Int)?
  /// The number of old entries, whether or not they have been taken by now.
  private(set) var oldCount = 0

  /// Takes a sample of the count at a moment.
  mutating func look(at nanoseconds: Int64, publishedCount: Int) {
    if let looked {
      guard nanoseconds - looked.nanoseconds >= Self.patienceNanoseconds else { return }
      oldCount = looked.count
    }
    looked = (nanoseconds, publishedCount)
  }

  /// In how many nanoseconds the next sample is due.
  func wait(at nanoseconds: Int64) -> Int64 {
    guard let looked else { return 0 }
    return max(0, looked.nanoseconds + Self.patienceNanoseconds - nanoseconds)
  }
}
