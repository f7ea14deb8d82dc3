/// When a log that was read to its end is looked at again, when what was made of it is shown to the outputs, and when
/// its directory is looked at.
struct Rhythm {
  private var milliseconds: Int32
  private let millisecondsMin: Int32, millisecondsMax: Int32
  private let ringByteCount: Int
  /// How long the last pause was.
  private var lastMilliseconds: Int32
  /// How much was read since the last pause.
  private var readByteCount = 0
  private var nextLook = Int64.min
  private var nextPublication = Int64.min

  /// A new log is to be followed within a second, and what is left of the former one has to be read before.
  private static let lookNanoseconds: Int64 = 500_000_000
  /// With the longest pause while records come, less than the tenth of a second in which a line is to be out.
  private static let publicationNanoseconds: Int64 = 45_000_000
  private static let millisecondsMaxWhileRead: Int32 = 45
  /// How long entries that are due wait for those that can be read at once.
  private static let catchingUpNanoseconds: Int64 = 10_000_000

  /// A small ring is overwritten sooner and must be looked at more often: between two looks, 800 MB/s don't fill one
  /// of 8 MB or more.
  ///
  /// Each look has its price, however little has come since the one before.
  init(ringByteCount: Int) {
    self.ringByteCount = ringByteCount
    millisecondsMax = Int32(min(100, max(10, ringByteCount / 800_000)))
    millisecondsMin = Int32(min(10, max(1, ringByteCount / 8_000_000)))
    milliseconds = millisecondsMin
    lastMilliseconds = millisecondsMin
  }

  /// Takes note that so much was read.
  mutating func hasRead(_ byteCount: Int) { readByteCount += byteCount }

  /// How long to sleep now, but no longer than what was made may remain unseen.
  ///
  /// While records come, that is as long as their lines may wait, as each costs less the more of them are made at once;
  /// but so short that no more than an eighth of the ring is written meanwhile. While none come, it is twice as long
  /// each time.
  ///
  /// - Parameter awaitsPublication: whether there are entries that the outputs haven't been shown.
  mutating func pause(_ now: Int64, awaitsPublication: Bool) -> Int32 {
    if readByteCount > 0 {
      let forAnEighth = Int(lastMilliseconds) * (ringByteCount / 8) / readByteCount
      milliseconds = min(
        max(Int32(clamping: forAnEighth), millisecondsMin), Self.millisecondsMaxWhileRead, millisecondsMax)
    } else {
      milliseconds = min(milliseconds * 2, millisecondsMax)
    }
    readByteCount = 0
    lastMilliseconds = milliseconds
    if awaitsPublication {
      let left = max(1, (nextPublication - now + 999_999) / 1_000_000)
      lastMilliseconds = min(milliseconds, Int32(clamping: left))
    }
    return lastMilliseconds
  }

  /// Whether entries should be shown to the outputs now.
  ///
  /// Full blocks go by themselves; waking an output for less, at each look, would be a waste. What came while the
  /// reader slept is shown together: the rest of it would otherwise be as old again before its turn comes.
  /// - Parameter hasCaughtUp: whether all that the log has now has been read.
  mutating func isTimeToPublish(_ now: Int64, hasCaughtUp: Bool) -> Bool {
    guard now >= nextPublication else { return false }
    if hasCaughtUp {
      nextPublication = now + Self.publicationNanoseconds
    } else {
      guard nextPublication == .min || now - nextPublication >= Self.catchingUpNanoseconds else {
        return false
      }
      nextPublication = now
    }
    return true
  }

  /// Whether the directory should be looked at.
  mutating func isTimeToLook(_ now: Int64) -> Bool {
    guard now >= nextLook else { return false }
    nextLook = now + Self.lookNanoseconds
    return true
  }
}
