package import Platform
package import Synchronization

/// The activity of the thread that moves blocks to disk, for the watchdog.
package final class SpillerActivity: Sendable {
  /// The number of times that it has looked for blocks and of blocks that it has moved, in all.
  package let done = Atomic<Int>(0)
  /// Whether it looks for blocks, rather than waiting to be woken.
  package let isAtWork = Atomic<Bool>(false)
  /// Whether it waits for the disk: in a call, or because the disk didn't take a block.
  package let isOutside = Atomic<Bool>(false)
  /// Its processor time; nil before it has begun.
  package let threadClock = Guarded<ThreadClock?>(nil)
}
