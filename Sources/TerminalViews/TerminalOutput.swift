package import Glibc
import Platform

/// Output that the terminal hasn't accepted yet: writing never blocks, so that a stopped terminal delays
/// nothing.
package struct TerminalOutput: ~Copyable {
  private let descriptor: Int32
  private var pending: [UInt8] = []
  private var lastWriting = SystemClock.steadyNanoseconds

  /// How long to wait at the end for a terminal that accepts nothing.
  private static let endNanoseconds: Int64 = 1_000_000_000

  /// Makes output to a file descriptor that doesn't block.
  package init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// Whether the terminal has accepted everything.
  package var isEmpty: Bool { pending.isEmpty }

  /// Whether the terminal has accepted nothing for a while, as when a key has stopped it.
  package var isStuck: Bool {
    !pending.isEmpty && SystemClock.steadyNanoseconds > lastWriting + Self.endNanoseconds
  }

  /// Adds bytes, to be written when the terminal accepts them.
  package mutating func add(_ bytes: some Sequence<UInt8>) { pending += bytes }

  /// What to poll for until bytes can be written; a request for nothing if no bytes wait.
  package var request: pollfd {
    pollfd(fd: pending.isEmpty ? -1 : descriptor, events: Int16(POLLOUT), revents: 0)
  }

  /// Writes the bytes that the terminal accepts at once.
  package mutating func write() {
    let count = unsafe pending.withUnsafeBytes { bytes in
      retryingOnInterrupt { unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count) }
    }
    if count > 0 {
      pending.removeFirst(count)
      lastWriting = SystemClock.steadyNanoseconds
    } else if count < 0, errno != EAGAIN {
      // The terminal is gone, which a signal reports, too.
      pending = []
    }
  }

  /// Writes the remaining bytes, but doesn't wait for a stopped terminal.
  package mutating func flush() {
    while !pending.isEmpty, !isStuck {
      var request = request
      if unsafe poll(&request, 1, 50) > 0 { write() }
    }
  }
}
