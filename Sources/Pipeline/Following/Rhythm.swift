/// When a quiet log is looked at again, and when its directory.
struct Rhythm {
  private var milliseconds: Int32
  private let millisecondsMin: Int32, millisecondsMax: Int32
  private var nextLook = Int64.min
  private var nextPublication = Int64.min

  /// A new log is to be followed within a second, and what is left of the former one has to be read before.
  private static let lookNanoseconds: Int64 = 500_000_000
  /// With the longest pause while records come, less than the tenth of a second in which a line is to be out.
  private static let publicationNanoseconds: Int64 = 45_000_000
  private static let millisecondsMaxWhileRead: Int32 = 45

  /// A small ring is overwritten sooner and must be looked at more often.
  ///
  /// Each look has its price, however little has come since the one before.
  init(ringByteCount: Int) {
    millisecondsMax = Int32(min(100, max(10, ringByteCount / 800_000)))
    millisecondsMin = Int32(min(10, max(1, ringByteCount / 8_000_000)))
    milliseconds = millisecondsMin
  }

  /// Takes note that there was more than one look can take.
  mutating func wasBusy() { milliseconds = millisecondsMin }

  /// Takes note that records have come: the next ones are expected soon.
  mutating func hasRead() { milliseconds = min(milliseconds, Self.millisecondsMaxWhileRead) }

  /// How long to sleep now: twice as long each time, as long as nothing comes, but no longer than what was made may
  /// remain unseen.
  ///
  /// - Parameter awaitsPublication: whether there are entries that the outputs haven't been shown.
  mutating func pause(_ now: Int64, awaitsPublication: Bool) -> Int32 {
    let pause = milliseconds
    milliseconds = min(milliseconds * 2, millisecondsMax)
    guard awaitsPublication else { return pause }
    return Int32(clamping: min(Int64(pause), max(1, (nextPublication - now + 999_999) / 1_000_000)))
  }

  /// Whether entries should be shown to the outputs now.
  ///
  /// Full blocks go by themselves; waking an output for less, at each look, would be a waste.
  mutating func isTimeToPublish(_ now: Int64) -> Bool {
    guard now >= nextPublication else { return false }
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
