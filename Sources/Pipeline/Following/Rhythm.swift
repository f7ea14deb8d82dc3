/// When a log that was read to its end is read again, when new entries are published to the outputs, and when
/// the instance's directory is looked at.
struct Rhythm {
  private var milliseconds: Int32
  private let millisecondsMin: Int32, millisecondsMax: Int32
  private let ringByteCount: Int
  /// How long the last pause was, in milliseconds.
  private var lastMilliseconds: Int32
  /// How many bytes were read since the last pause.
  private var readByteCount = 0
  private var nextLook = Int64.min
  private var nextPublication = Int64.min

  /// A new log is to be followed within a second, and the rest of the former log has to be read before.
  private static let lookNanoseconds: Int64 = 500_000_000
  /// With the longest pause while records come, it is less than the tenth of a second within which a line is
  /// to be out.
  private static let publicationNanoseconds: Int64 = 45_000_000
  private static let millisecondsMaxWhileRead: Int32 = 45
  /// How long entries that are due wait for others that can be read at once.
  private static let catchingUpNanoseconds: Int64 = 10_000_000

  /// The pauses for a ring of this size.
  ///
  /// A small ring is overwritten sooner and must be read more often: between two looks, 800 MB/s don't fill a
  /// ring of 8 MB or more. Each look has its price, however little was written since the last one.
  init(ringByteCount: Int) {
    self.ringByteCount = ringByteCount
    millisecondsMax = Int32(min(100, max(10, ringByteCount / 800_000)))
    millisecondsMin = Int32(min(10, max(1, ringByteCount / 8_000_000)))
    milliseconds = millisecondsMin
    lastMilliseconds = millisecondsMin
  }

  /// Notes how many bytes were read.
  mutating func hasRead(_ byteCount: Int) { readByteCount += byteCount }

  /// How many milliseconds to sleep now, but no longer than entries may remain unpublished.
  ///
  /// While records come, the pause is as long as their lines may wait, as a line costs less the more of them
  /// are made at once; but so short that no more than an eighth of the ring is written meanwhile. While none
  /// come, each pause is twice as long as the one before.
  ///
  /// - Parameter awaitsPublication: whether there are entries that aren't published to the outputs.
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

  /// Whether entries should be published to the outputs now.
  ///
  /// Full blocks are published at once; waking an output for less, at each look, would be a waste. Entries of
  /// records that came while the reader slept are published together: the last of them would otherwise wait
  /// for another period.
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

  /// Whether the instance's directory should be looked at.
  mutating func isTimeToLook(_ now: Int64) -> Bool {
    guard now >= nextLook else { return false }
    nextLook = now + Self.lookNanoseconds
    return true
  }
}
