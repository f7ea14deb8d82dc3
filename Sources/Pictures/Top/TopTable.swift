import Glibc
import Platform

/// What the keys of a log are counted in, and the time in which they were.
struct TopTable: ~Copyable {
  var sketch: HeavyHitters
  /// Over how many seconds former arrivals fade; nil if they all count the same.
  let period: Double?
  private let start: Int64
  private var lastFade: Int64
  private var lastTimesFade: Int64
  /// The first and the last time that the log tells, in microseconds.
  private var firstTime = UInt64.max, lastTime: UInt64 = 0

  /// Fading in steps costs nothing, and a second is less than anything that is shown tells apart.
  private static let stepNanoseconds: Int64 = 1_000_000_000

  init(_ options: HeavyHitters.Options, period: Double?, at now: Int64) {
    sketch = HeavyHitters(options)
    self.period = period
    (start, lastFade, lastTimesFade) = (now, now, now)
  }

  /// Has what was counted fade for the time since it last did.
  mutating func advance(to now: Int64) {
    guard let period, now - lastFade >= Self.stepNanoseconds else { return }
    sketch.fade(to: exp(-Double(now - lastFade) / 1e9 / period))
    lastFade = now
    if Double(now - lastTimesFade) / 1e9 >= period {
      sketch.fadeTimes()
      lastTimesFade = now
    }
  }

  /// Notes when in the log something was.
  mutating func note(microseconds: UInt64) {
    firstTime = min(firstTime, microseconds)
    lastTime = max(lastTime, microseconds)
  }

  /// How many seconds' worth of arrivals are counted, so that rates can be told; nil if that isn't known.
  func seconds(at now: Int64) -> Double? {
    if let period { return max(1, period * (1 - exp(-Double(now - start) / 1e9 / period))) }
    guard lastTime > firstTime else { return nil }
    return Double(lastTime - firstTime) / 1e6
  }
}

/// The table as it stood at a moment.
package struct TopPicture: Sendable {
  /// The heaviest keys, the heaviest first.
  package var hitters: [HeavyHitters.Hitter] = []
  /// The arrivals of all keys.
  package var total = 0.0
  /// How many keys are held.
  package var keyCount = 0
  /// What a key that isn't held can have at most.
  package var floor = 0.0
  /// How many seconds they are of; nil if that isn't known.
  package var seconds: Double?
  /// The names of tags, by the kind of keys.
  package var kinds: [UInt8: String] = [:]

  package init() {}

  /// What a key is, to be shown: its columns, each without control characters.
  package func columns(of hitter: HeavyHitters.Hitter) -> [String] {
    let isCut = hitter.keyByteCount > hitter.key.count
    var parts = hitter.key.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
      .map { VisibleText.oneLine(String(decoding: $0, as: UTF8.self)) }
    if isCut, let last = parts.indices.last { parts[last] += "~" }
    if let kind = kinds[hitter.kind] { return [kind, parts.joined(separator: " ")] }
    return parts
  }
}

/// Counts keys on an output's thread, and shows the table to others.
package class TopObserver: @unchecked Sendable {
  let table: Guarded<TopTable>

  init(_ options: HeavyHitters.Options, period: Double?) {
    table = Guarded(TopTable(options, period: period, at: SystemClock.steadyNanoseconds))
  }

  /// The names of kinds.
  func kinds() -> [UInt8: String] { [:] }

  /// How the table stands.
  ///
  /// - Parameters:
  ///   - limit: how many keys are of interest.
  ///   - isWanted: which, by what they are when shown.
  package final func picture(
    limit: Int, where isWanted: ((TopPicture, HeavyHitters.Hitter) -> Bool)? = nil
  ) -> TopPicture {
    var picture = TopPicture()
    picture.kinds = kinds()
    let now = SystemClock.steadyNanoseconds
    // The thread that counts waits meanwhile, and entries wait for it; reading doesn't.
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
