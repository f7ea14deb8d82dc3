import Glibc
import Platform

/// The table in which a log's keys are counted, and the span of time that it covers.
struct TopTable: ~Copyable {
  var sketch: HeavyHitters
  /// The number of seconds over which earlier arrivals fade; nil if all arrivals count the same.
  let period: Double?
  private let start: Int64
  private var lastFade: Int64
  private var lastTimesFade: Int64
  /// The first and the last time noted from the log, in microseconds.
  private var firstTime = UInt64.max, lastTime: UInt64 = 0

  /// The time between two steps of fading: steps are cheap, and a second is too short to be seen in what is
  /// shown.
  private static let stepNanoseconds: Int64 = 1_000_000_000

  init(_ options: HeavyHitters.Options, period: Double?, at now: Int64) {
    sketch = HeavyHitters(options)
    self.period = period
    (start, lastFade, lastTimesFade) = (now, now, now)
  }

  /// Fades the counts for the time since the last step.
  mutating func advance(to now: Int64) {
    guard let period, now - lastFade >= Self.stepNanoseconds else { return }
    sketch.fade(to: exp(-Double(now - lastFade) / 1e9 / period))
    lastFade = now
    if Double(now - lastTimesFade) / 1e9 >= period {
      sketch.fadeTimes()
      lastTimesFade = now
    }
  }

  /// Notes a time that occurs in the log.
  mutating func note(microseconds: UInt64) {
    firstTime = min(firstTime, microseconds)
    lastTime = max(lastTime, microseconds)
  }

  /// The number of seconds whose arrivals are counted, for computing rates; nil if that isn't known.
  func seconds(at now: Int64) -> Double? {
    if let period { return max(1, period * (1 - exp(-Double(now - start) / 1e9 / period))) }
    guard lastTime > firstTime else { return nil }
    return Double(lastTime - firstTime) / 1e6
  }
}

/// The table at a moment.
package struct TopPicture: Sendable {
  /// The heaviest keys, the heaviest first.
  package var hitters: [HeavyHitters.Hitter] = []
  /// The number of arrivals of all keys.
  package var total = 0.0
  /// How many keys are held.
  package var keyCount = 0
  /// The most arrivals that a key that isn't held can have.
  package var floor = 0.0
  /// The number of seconds whose arrivals are counted; nil if that isn't known.
  package var seconds: Double?
  /// The names of tags, by the kind of keys.
  package var kinds: [UInt8: String] = [:]

  package init() {}

  /// The key as it is shown: its columns, each without control characters.
  package func columns(of hitter: HeavyHitters.Hitter) -> [String] {
    let isCut = hitter.keyByteCount > hitter.key.count
    var parts = hitter.key.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
      .map { VisibleText.oneLine(String(decoding: $0, as: UTF8.self)) }
    if isCut, let last = parts.indices.last { parts[last] += "~" }
    if let kind = kinds[hitter.kind] { return [kind, parts.joined(separator: " ")] }
    return parts
  }
}

/// Counts keys on an output's thread, and gives copies of the table to other threads.
package class TopObserver: @unchecked Sendable {
  let table: Guarded<TopTable>

  init(_ options: HeavyHitters.Options, period: Double?) {
    table = Guarded(TopTable(options, period: period, at: SystemClock.steadyNanoseconds))
  }

  /// The names of the kinds of keys.
  func kinds() -> [UInt8: String] { [:] }

  /// The table as it is now.
  ///
  /// - Parameters:
  ///   - limit: the number of keys to return.
  ///   - isWanted: which keys to return, decided by how they are shown.
  ///   - isWanted: which, by what they are when shown.
  package final func picture(
    limit: Int, where isWanted: ((TopPicture, HeavyHitters.Hitter) -> Bool)? = nil
  ) -> TopPicture {
    var picture = TopPicture()
    picture.kinds = kinds()
    let now = SystemClock.steadyNanoseconds
    // Meanwhile the output's thread waits, and entries wait in its spool; reading the log goes on.
    table.withLock { table in
      table.advance(to: now)
      picture.total = table.sketch.totalWeight
      picture.keyCount = table.sketch.count
      picture.floor = table.sketch.floor
      picture.seconds = table.seconds(at: now)
      picture.hitters = table.sketch.heaviest(isWanted == nil ? limit : .max)
    }
    if let isWanted {
      let wanted = picture.hitters.lazy.filter { isWanted(picture, $0) }.prefix(limit)
      picture.hitters = Array(wanted)
    }
    return picture
  }
}
