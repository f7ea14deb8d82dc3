import Glibc

/// A descriptor by which one thread wakes another out of `poll`.
///
/// A pipe to ourselves, neither end of which blocks: when it is full, it is readable anyway.
struct WakeEvent: ~Copyable, Sendable {
  /// Readable from a signal until it is cleared.
  let descriptor: Int32
  private let writeEnd: Int32

  init(_ system: SystemCalls) throws(Errno) {
    (descriptor, writeEnd) = try system.makePipe()
  }

  deinit {
    _ = close(descriptor)
    _ = close(writeEnd)
  }

  /// Makes the descriptor readable.
  func signal() {
    var byte: UInt8 = 0
    _ = write(writeEnd, &byte, 1)
  }

  /// Makes the descriptor unreadable again, however often it was signalled.
  func clear() {
    withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
      while read(descriptor, buffer.baseAddress, buffer.count) == buffer.count {}
    }
  }
}
