import Platform

/// How many finished files are kept, for how long, and how much of them.
struct RetentionLimits {
  let count: Int?
  let seconds: Int?
  let bytes: Int?

  /// Whether files are deleted at some time.
  var isLimited: Bool { count != nil || seconds != nil || bytes != nil }

  /// Which of the files are too many, too much or too old.
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

  /// When each of the files was written to last, as far as that can be known: a clock that was wrong then has
  /// left a wrong time.
  ///
  /// A file isn't older than the number that it got when it was begun, which a clock that is late doesn't lower;
  /// and it isn't younger than those that came after it.
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

/// The time as retention sees it: the wall's, but never faster than the steady clock.
///
/// A clock that jumps ahead would make every file too old at once, before it is set right.
struct UnhurriedClock {
  private var seconds: Int64
  private var steadyNanoseconds: Int64

  init(_ now: Moment) {
    seconds = now.wallSeconds
    steadyNanoseconds = now.steadyNanoseconds
  }

  /// What time it is.
  mutating func read(_ now: Moment) -> Int64 {
    // The part of a second that is begun counts, and is not lost at the next look.
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
