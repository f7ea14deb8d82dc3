import Platform
import Spool
import Synchronization

/// What an output's threads are doing, for the watchdog and for status reports.
extension Output {
  /// A snapshot of one thread's work.
  package struct Activity: Equatable, Sendable {
    /// A measure of all work done so far; only a change of it has a meaning.
    package var done: UInt64
    /// Whether there is work that the thread has yet to do.
    package var hasWork: Bool
    /// Whether the thread waits for a consumer, a receiver or a disk.
    package var isOutside: Bool
    /// How much processor time the thread has taken in all; nil if that isn't known.
    package var processorNanoseconds: Int64?
  }

  /// What the output's thread is doing now.
  package var activity: Activity {
    let isOutside = custody.isInSink || state.waitsForSink.load(ordering: .relaxed)
    let usage = spool.usage
    // Both an entry that is taken in pieces and a taken entry that is settled later are progress.
    let settled = state.progress.settledThrough
    // Entries that wait for a failed output are left to the next run.
    let isDone = failure != nil || state.end.isAnnounced
    return Activity(
      done: UInt64(truncatingIfNeeded: usage.taken.bytes + usage.damaged.bytes + settled),
      hasWork: !isDone && usage.waiting.entries > 0, isOutside: isOutside,
      processorNanoseconds: state.threadClock.withLock { $0 }?.nanoseconds)
  }

  /// What the spiller, the thread that moves entries to disk, is doing now; nil if there is no disk.
  package var spillerActivity: Activity? {
    guard spool.disk != nil else { return nil }
    let activity = spool.spillerActivity
    return Activity(
      done: UInt64(truncatingIfNeeded: activity.done.load(ordering: .relaxed)),
      hasWork: spool.isSpillerBusy, isOutside: activity.isOutside.load(ordering: .relaxed),
      processorNanoseconds: activity.threadClock.withLock { $0 }?.nanoseconds)
  }

  /// A weak reference to an output's spool, which lives as long as one of the output's threads does.
  package struct Remains {
    fileprivate weak var spool: Spool?

    /// Whether all threads of the output have ended and its files and locks are released.
    package var areGone: Bool { spool == nil }
  }

  /// Tells, after the output itself was released, whether its threads still run.
  package var remains: Remains { Remains(spool: spool) }

  /// Whether the spool's disk is full, too, for entries that memory has no room for.
  package var isDiskFull: Bool { spool.isDiskFull.load(ordering: .relaxed) }

  /// The spool's limit in memory and, if it has a disk, its limit there.
  package var spoolLimits: (memoryBytes: Int, diskBytes: Int?) {
    (spool.options.limitBytes, spool.options.disk?.limitBytes)
  }
}
