/// The tracks of all counters that are there.
struct CounterHistory {
  private var tracks: [String: CounterTrack] = [:]

  /// The track of a counter; nil if it wasn't seen.
  func track(_ name: String) -> CounterTrack? { tracks[name] }

  /// Adds the present values; counters that aren't there any more are forgotten.
  mutating func add(_ shown: ShownCounters, at nanoseconds: Int64) {
    var now: [String: CounterTrack] = [:]
    now.reserveCapacity(shown.entries.count)
    for entry in shown.entries {
      guard var track = tracks.removeValue(forKey: entry.name) else {
        now[entry.name] = CounterTrack(entry, at: nanoseconds)
        continue
      }
      track.add(entry, at: nanoseconds)
      now[entry.name] = track
    }
    tracks = now
  }

  /// The share of cache lookups that were hits, from 0 to 1, over one of the spans; nil if there were no
  /// lookups.
  func hitRatio(_ span: Int) -> Double? {
    guard let hits = tracks["MAIN.cache_hit"]?.average(span),
      let misses = tracks["MAIN.cache_miss"]?.average(span),
      hits + misses > 0
    else { return nil }
    return hits / (hits + misses)
  }
}
