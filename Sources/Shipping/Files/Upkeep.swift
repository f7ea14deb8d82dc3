import Glibc
import Platform
import Spool

/// What is to be done for files that are not being written, and what of it doesn't work at present.
///
/// Nothing of this stops the output.
struct Upkeep {
  /// How often it is looked for files that have become too old, and tried again what has failed.
  static let nanoseconds: Int64 = 60_000_000_000

  /// Whether there is a new file, and so perhaps too many finished ones.
  var isDue = true
  /// Whether there may be files that ended with their period but were not finished.
  var hasLeftovers = false
  /// Whether a new file gets its name only when it says whose it is.
  var namesLater = true
  /// Whether the files of former runs have not been looked at.
  var isUnseen = true
  /// The files whose command has not ended, what they are to say of themselves then, and when they were changed
  /// last.
  var waiting: [FileIdentity: (mark: FileMark, lastChange: timespec)] = [:]
  /// When it is looked again, on the steady clock; nil if only a new file gives a reason to.
  var next: Int64?

  var renaming = Trouble<FailedOperation>()
  var directory = Trouble<FailedOperation>()
  var pruning = Trouble<FailedOperation>()
  var leftovers = Trouble<FailedOperation>()
  var link = Trouble<FailedOperation>()
  var attributes = Trouble<FailedOperation>()

  /// Whether something has failed that another attempt may mend.
  private var isIncomplete: Bool { hasLeftovers || pruning.isThere || link.isThere }

  /// Whether it is time to look.
  func isDue(at now: Moment) -> Bool {
    isDue || next.map { now.steadyNanoseconds >= $0 } ?? false
  }

  /// Notes that it was looked, and when to do so again without a reason.
  mutating func end(at now: Moment, isPeriodic: Bool) {
    isDue = false
    next = isPeriodic || isIncomplete ? now.steadyNanoseconds + Self.nanoseconds : nil
  }

  /// In how many nanoseconds it is.
  func wait(at now: Moment) -> Int64? { next.map { $0 - now.steadyNanoseconds } }
}
