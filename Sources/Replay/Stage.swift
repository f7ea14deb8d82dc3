import LogWriting
import Platform
import VarnishLog

/// A live log that is being played into.
struct Stage {
  let writer: LogWriter
  let numbering: TagNumbering
  /// When it began, on the steady clock.
  let start: Int64
  /// What the clock on the wall is ahead of the steady one.
  let wallOffset: Int64
  var schedule: Schedule
  /// By how many nanoseconds times were moved last.
  var timeShift: Int64 = 0
  /// Counts runs that needed no waiting, over all passes; small ones have few.
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
