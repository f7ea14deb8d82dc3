import Platform

/// The limits on finished files: their number, their age and their bytes.
struct RetentionLimits {
  let count: Int?
  let seconds: Int?
  let bytes: Int?

  /// Whether there is any limit.
  var isLimited: Bool { count != nil || seconds != nil || bytes != nil }

  /// The files beyond the limits.
  ///
  /// - Parameters:
  ///   - files: all finished files, oldest first.
  ///   - now: the present second, on a clock that no jump of the system's makes late.
  func superfluous(_ files: [FileCatalog.Member], at now: Int64) -> [FileCatalog.Member] {
    var count = files.count
    var bytes = files.reduce(0) { $0 + $1.byteCount }
    return zip(files, lastSeconds(files)).filter { file, lastSecond in
      let isTooMuch = count > self.count ?? .max || bytes > self.bytes ?? .max
      let isTooOld = seconds.map { lastSecond < now - Int64($0) } ?? false
      guard isTooMuch || isTooOld else { return false }
      count -= 1
      bytes -= file.byteCount
      return true
    }.map(\.0)
  }

  /// The last write to each file, as far as that is known: if the clock was wrong then, so is the file's
  /// time.
  ///
  /// A file isn't older than the number that it got when it was begun, which a clock that is late doesn't
  /// lower; and it isn't younger than the files that came after it.
  private func lastSeconds(_ files: [FileCatalog.Member]) -> [Int64] {
    var seconds: [Int64] = []
    var next = Int64.max
    for file in files.reversed() {
      let begun = file.mark.map { $0.number / 1_000_000_000 } ?? .min
      next = min(next, max(file.lastSecond, begun))
      seconds.append(next)
    }
    return seconds.reversed()
  }
}

/// The clock that retention uses: the wall clock, but never faster than the steady clock.
///
/// A clock that jumps ahead would make every file too old at once, before the clock is corrected.
struct UnhurriedClock {
  private var seconds: Int64
  private var steadyNanoseconds: Int64

  init(_ now: Moment) {
    seconds = now.wallSeconds
    steadyNanoseconds = now.steadyNanoseconds
  }

  /// Returns the time in seconds.
  mutating func read(_ now: Moment) -> Int64 {
    // The second that has begun counts in full, and is not lost at the next call.
    let elapsed = max(0, (now.steadyNanoseconds - steadyNanoseconds) / 1_000_000_000)
    if now.wallSeconds <= seconds + elapsed + 1 {
      seconds = now.wallSeconds
      steadyNanoseconds = now.steadyNanoseconds
    } else {
      seconds += elapsed
      steadyNanoseconds += elapsed * 1_000_000_000
    }
    return seconds
  }
}
