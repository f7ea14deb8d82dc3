import CShims
import Glibc
import Platform

/// A descriptor by which one thread wakes another out of `poll`.
final class WakeEvent: Sendable {
  /// Readable from a signal until it is cleared.
  let descriptor: Int32

  init(_ system: SystemCalls) throws(Errno) { descriptor = try system.makeEvent() }

  deinit { _ = close(descriptor) }

  /// Makes the descriptor readable.
  func signal() { shim_signal_event(descriptor) }

  /// Makes the descriptor unreadable again, however often it was signalled.
  func clear() { shim_clear_event(descriptor) }
}
