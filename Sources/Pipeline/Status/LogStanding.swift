import LogReading
import VarnishLog

/// How a run stands with the log that it reads.
package struct LogStanding: Sendable, Equatable {
  /// What is being done with it.
  package enum State: String, Sendable {
    /// There is no log, and it is looked for.
    case seeking
    /// There is a log, but no record yet that tells its version.
    case probing
    case reading
    /// Nothing more is read; outputs deliver what they have.
    case ending
  }

  /// The instance's directory, or the file.
  package var path: String
  /// What is being done with it.
  package var state = State.seeking
  /// The log itself, if it is a live one and there is one.
  package var ring: Ring?
  /// Whether there was nothing more to read at the last look.
  var isIdle = true
  /// Whether reading waits for room in a spool.
  var isHeldBack = false
  /// Bytes of records that were read, and of what was overwritten before.
  var readBytes = 0, lostBytes = 0

  /// A live log, and where the reader is in it.
  package struct Ring: Sendable, Equatable {
    /// How large it is.
    package let byteCount: Int
    /// How much of it isn't read yet.
    package let lagBytes: Int
    /// How much was written to it, on a scale of which only differences count.
    let writtenOffset: Int

    init<Source: LiveSource & ~Copyable>(_ ring: borrowing Source) {
      byteCount = ring.byteCount
      lagBytes = ring.lagBytes
      writtenOffset = ring.readOffset + lagBytes
    }
  }
}
