import Platform
import Spool
import Synchronization

/// What an output's thread does at one moment, for a watchdog and for people.
extension Output {
  /// The thread's work.
  package struct Activity: Equatable, Sendable {
    /// How much it has done in all; only that it changes counts.
    package var done: UInt64
    /// Whether entries wait for it, or it is to end and hasn't.
    package var hasWork: Bool
    /// Whether it waits for a consumer, a receiver or a disk.
    package var isOutside: Bool
    /// How much processor time it has taken in all; nil if that isn't known.
    package var processorNanoseconds: Int64?
  }

  /// What the thread does now.
  package var activity: Activity {
    let isOutside = custody.isInSink || state.waitsForSink.load(ordering: .relaxed)
    let usage = spool.usage
    // An entry that is taken in pieces, and one that was taken and is settled later: both are progress.
    let settled = state.progress.settledThrough
    // What waits for an output that has failed is left for the next run.
    let isDone = failure != nil || state.end.isAnnounced
    return Activity(
      done: UInt64(truncatingIfNeeded: usage.taken.bytes + usage.damaged.bytes + settled),
      hasWork: !isDone && usage.waiting.entries > 0, isOutside: isOutside,
      processorNanoseconds: state.threadClock.withLock { $0 }?.nanoseconds)
  }

  /// What the thread does that moves entries to disk; nil if there is no disk.
  package var spillerActivity: Activity? {
    guard spool.disk != nil else { return nil }
    let activity = spool.spillerActivity
    return Activity(
      done: UInt64(truncatingIfNeeded: activity.done.load(ordering: .relaxed)),
      hasWork: spool.isSpillerBusy, isOutside: activity.isOutside.load(ordering: .relaxed),
      processorNanoseconds: activity.threadClock.withLock { $0 }?.nanoseconds)
  }

  /// What is left of an output that nothing refers to any more, as long as a thread of it goes on.
  package struct Remains {
    fileprivate weak var spool: Spool?

    /// Whether all of its threads have ended, and what it had open or locked is free.
    package var areGone: Bool { spool == nil }
  }

  /// What will be left of it.
  package var remains: Remains { Remains(spool: spool) }

  /// Whether the spool's disk has no room for what memory has none for.
  package var isDiskFull: Bool { spool.isDiskFull.load(ordering: .relaxed) }

  /// How much the spool may take in memory and, if there is a disk for it, there.
  package var spoolLimits: (memoryBytes: Int, diskBytes: Int?) {
    (spool.options.limitBytes, spool.options.disk?.limitBytes)
  }
}
