import CShims
import Glibc

/// A descriptor by which one thread wakes another out of `poll`.
package final class WakeEvent: Sendable {
  /// Readable from a signal until it is cleared.
  package let descriptor: Int32

  package init(_ system: SystemCalls) throws(Errno) { descriptor = try system.makeEvent() }

  deinit { _ = close(descriptor) }

  /// Makes the descriptor readable.
  package func signal() { shim_signal_event(descriptor) }

  /// Makes the descriptor unreadable again, however often it was signalled.
  package func clear() { shim_clear_event(descriptor) }
}
