/// Tells how many entries were published long ago, by looking now and then at how many there are.
struct SpoolLag {
  /// How long an entry may wait without being old.
  private static let patienceNanoseconds: Int64 = 1_000_000_000

  private var looked: (nanoseconds: Int64, count: Int)?
  /// So many entries are old, be they taken by now or not.
  private(set) var oldCount = 0

  /// Looks at a moment at how many were published.
  mutating func look(at nanoseconds: Int64, publishedCount: Int) {
    if let looked {
      guard nanoseconds - looked.nanoseconds >= Self.patienceNanoseconds else { return }
      oldCount = looked.count
    }
    looked = (nanoseconds, publishedCount)
  }

  /// In how many nanoseconds there is something new to be seen.
  func wait(at nanoseconds: Int64) -> Int64 {
    guard let looked else { return 0 }
    return max(0, looked.nanoseconds + Self.patienceNanoseconds - nanoseconds)
  }
}
