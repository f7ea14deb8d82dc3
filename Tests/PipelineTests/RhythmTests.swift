@testable import Pipeline
import TestSupport
import Testing

/// The times at which a log is read and its lines are published, by a clock that the test sets.
struct RhythmTests {
  private static let ringByteCount = 80 << 20

  /// A reader of a log that is written at an even rate.
  private struct Reader {
    var rhythm = Rhythm(ringByteCount: RhythmTests.ringByteCount)
    /// The time, in nanoseconds.
    var now: Int64 = 1_000_000_000
    /// The times up to which everything written has been read, and has been published.
    var readThrough: Int64, shownThrough: Int64
    var looks = 0
    var publications = 0
    /// The longest time from writing to publishing, in nanoseconds.
    var longest: Int64 = 0
    /// The longest time between two reads of the log, in nanoseconds.
    var longestAway: Int64 = 0

    init() {
      readThrough = now
      shownThrough = now
    }

    /// Follows the log for some seconds, reading at most four milliseconds' worth of it in a turn.
    ///
    /// - Parameters:
    ///   - load: the share of the reader's time that reading takes.
    ///   - bytesPerMillisecond: the rate at which the log is written.
    mutating func follow(seconds: Int64, load: Double, bytesPerMillisecond: Int) {
      let end = now + seconds * 1_000_000_000
      while now < end {
        let begin = now
        // A turn reads at most what was written within four milliseconds.
        let piece = min(4_000_000, begin - readThrough)
        now += max(20_000, Int64(Double(piece) * load))
        readThrough += piece
        rhythm.hasRead(Int(piece) / 1_000_000 * bytesPerMillisecond)
        let hasCaughtUp = piece < 4_000_000
        let isShown = rhythm.isTimeToPublish(begin, hasCaughtUp: hasCaughtUp)
        if isShown {
          publications += 1
          longest = max(longest, now - shownThrough)
          shownThrough = readThrough
        }
        guard hasCaughtUp else { continue }
        looks += 1
        let pause = Int64(rhythm.pause(begin, awaitsPublication: !isShown)) * 1_000_000
        longestAway = max(longestAway, pause)
        now += pause
      }
    }
  }

  @Test(arguments: [0.001, 0.05, 0.3, 0.6, 0.9])
  func `what was written is shown within a tenth of a second`(load: Double) {
    var reader = Reader()
    reader.follow(seconds: 20, load: load, bytesPerMillisecond: 100_000)
    #expect(reader.longest < 100_000_000, "\(reader.longest) ns at \(load)")
    // Waking an output costs more than rendering a few lines.
    #expect(reader.publications < 20 * 110, "\(reader.publications) at \(load)")
  }

  @Test func `while records come evenly, one look is enough for each time that lines are shown`() {
    var reader = Reader()
    reader.follow(seconds: 20, load: 0.05, bytesPerMillisecond: 80_000)
    #expect(reader.looks < 20 * 23 && reader.publications > 20 * 20)
    #expect(
      reader.looks <= reader.publications + 1, "\(reader.looks) looks, \(reader.publications) publications")
  }

  @Test func `a log of which much is overwritten between two looks is looked at more often`() {
    var reader = Reader()
    reader.follow(seconds: 5, load: 0.3, bytesPerMillisecond: 1_000_000)
    reader.longestAway = 0
    reader.follow(seconds: 5, load: 0.3, bytesPerMillisecond: 1_000_000)
    #expect(reader.longestAway <= 10_000_000, "\(reader.longestAway) ns")
    reader.follow(seconds: 5, load: 0.3, bytesPerMillisecond: 100_000)
    #expect(reader.longestAway >= 40_000_000, "\(reader.longestAway) ns")
  }

  @Test func `a log that nothing is written to is looked at ten times a second`() {
    var rhythm = Rhythm(ringByteCount: Self.ringByteCount)
    var now: Int64 = 0
    var looks = 0
    while now < 10_000_000_000 {
      let isShown = rhythm.isTimeToPublish(now, hasCaughtUp: true)
      now += Int64(rhythm.pause(now, awaitsPublication: !isShown)) * 1_000_000
      looks += 1
    }
    #expect(looks < 105, "\(looks)")
  }

  @Test(arguments: [1 << 20, 8 << 20, 80 << 20, 1 << 30])
  func `no pause lets a ring be filled that is written at 800 MB each second`(byteCount: Int) {
    var rhythm = Rhythm(ringByteCount: byteCount)
    var longest: Int32 = 0
    for look in 0..<100 {
      if look % 7 == 0 { rhythm.hasRead(byteCount / 100) }
      longest = max(longest, rhythm.pause(0, awaitsPublication: false))
    }
    // Below 8 MB the cost of looking at the log sets the limit.
    #expect(Int(longest) <= max(10, byteCount / 800_000))
  }
}
