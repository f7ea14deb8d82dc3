package import Platform
package import Synchronization

/// What the thread that moves blocks to disk does at one moment, for a watchdog.
package final class SpillerActivity: Sendable {
  /// How often it has looked for blocks, and how many it has moved, in all.
  package let done = Atomic<Int>(0)
  /// Whether it looks for blocks, rather than waiting to be woken.
  package let isAtWork = Atomic<Bool>(false)
  /// Whether it waits for its disk: in a call, or because that didn't take a block.
  package let isOutside = Atomic<Bool>(false)
  /// Its processor time; nil before it has begun.
  package let threadClock = Guarded<ThreadClock?>(nil)
}
