import LogWriting
import Platform
import VarnishLog

/// The live log, and the state of the replay into it.
struct Stage {
  let writer: LogWriter
  let numbering: TagNumbering
  /// When the replay began, on the steady clock.
  let start: Int64
  /// The difference between the wall clock and the steady clock, in nanoseconds.
  let wallOffset: Int64
  var schedule: Schedule
  /// By how many nanoseconds the latest times were moved.
  var timeShift: Int64 = 0
  /// Counts units that were due at once, over all passes, as a small log has few; wraps around.
  var runCount: UInt8 = 0

  /// Begins now.
  init(_ writer: LogWriter, _ numbering: TagNumbering, _ pace: ReplayOptions.Pace) {
    self.writer = writer
    self.numbering = numbering
    start = SystemClock.steadyNanoseconds
    wallOffset = SystemClock.wallNanoseconds - start
    schedule = Schedule(pace, start: start)
  }
}
