package import Glibc
import Platform

/// What a terminal has yet to take: it is never waited for, so that one that was stopped holds nothing up.
package struct TerminalOutput: ~Copyable {
  private let descriptor: Int32
  private var pending: [UInt8] = []
  private var lastWriting = SystemClock.steadyNanoseconds

  /// How long a terminal that takes nothing is waited for at the end.
  private static let endNanoseconds: Int64 = 1_000_000_000

  /// Output through a descriptor that doesn't block.
  package init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// Whether the terminal has taken everything.
  package var isEmpty: Bool { pending.isEmpty }

  /// Whether it has taken nothing for a while, as when it was stopped by a key.
  package var isStuck: Bool {
    !pending.isEmpty && SystemClock.steadyNanoseconds > lastWriting + Self.endNanoseconds
  }

  /// Has something written when the terminal takes it.
  package mutating func add(_ bytes: some Sequence<UInt8>) { pending += bytes }

  /// What is to be waited for until it can be written; nothing if there is nothing.
  package var request: pollfd {
    pollfd(fd: pending.isEmpty ? -1 : descriptor, events: Int16(POLLOUT), revents: 0)
  }

  /// Writes what the terminal takes at once.
  package mutating func write() {
    let count = unsafe pending.withUnsafeBytes { bytes in
      retryingOnInterrupt { unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count) }
    }
    if count > 0 {
      pending.removeFirst(count)
      lastWriting = SystemClock.steadyNanoseconds
    } else if count < 0, errno != EAGAIN {
      // The terminal is gone; a signal says so, too.
      pending = []
    }
  }

  /// Writes what is left, but doesn't wait for a terminal that was stopped.
  package mutating func flush() {
    while !pending.isEmpty, !isStuck {
      var request = request
      if unsafe poll(&request, 1, 50) > 0 { write() }
    }
  }
}
