/// When a quiet log is looked at again, and when its directory.
struct Rhythm {
  private var milliseconds: Int32 = 1
  private let millisecondsMax: Int32
  private var nextLook = Int64.min
  private var nextPublication = Int64.min

  /// A new log is to be followed within a second, and what is left of the former one has to be read before.
  private static let lookNanoseconds: Int64 = 500_000_000
  private static let publicationNanoseconds: Int64 = 50_000_000

  /// A small ring is overwritten sooner and must be looked at more often.
  init(ringByteCount: Int) {
    millisecondsMax = Int32(min(100, max(10, ringByteCount / 800_000)))
  }

  mutating func wasBusy() { milliseconds = 1 }

  /// How long to sleep now; twice as long each time, as long as nothing comes.
  mutating func pause() -> Int32 {
    defer { milliseconds = min(milliseconds * 2, millisecondsMax) }
    return milliseconds
  }

  /// Whether entries should be shown to the outputs now.
  ///
  /// While there is a lot to do, full blocks go by themselves and waking an output for less would be a waste.
  mutating func isTimeToPublish(_ now: Int64, isBusy: Bool) -> Bool {
    if isBusy, now < nextPublication { return false }
    nextPublication = now + Self.publicationNanoseconds
    return true
  }

  /// Whether the directory should be looked at.
  mutating func isTimeToLook(_ now: Int64) -> Bool {
    guard now >= nextLook else { return false }
    nextLook = now + Self.lookNanoseconds
    return true
  }
}
