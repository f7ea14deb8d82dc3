import LogReading
import VarnishLog

/// The state of reading a log.
package struct LogStanding: Sendable, Equatable {
  /// What the run does with the log.
  package enum State: String, Sendable {
    /// There is no log, and it is looked for.
    case seeking
    /// There is a log, but no record yet that tells its version.
    case probing
    case reading
    /// Nothing more is read; outputs deliver the entries that they have.
    case ending
  }

  /// The path of the instance's directory, or of the file.
  package var path: String
  /// What the run does with the log.
  package var state = State.seeking
  /// The ring, if the log is a live one and is being read.
  package var ring: Ring?
  /// Whether there was nothing more to read at the last look.
  var isIdle = true
  /// Whether reading waits for room in a spool.
  var isHeldBack = false
  /// Bytes of records that were read, and bytes of the log that were overwritten before they were read.
  var readBytes = 0, lostBytes = 0

  /// A live log, and where the reader is in it.
  package struct Ring: Sendable, Equatable {
    /// The size of the ring.
    package let byteCount: Int
    /// How many bytes aren't read yet.
    package let lagBytes: Int
    /// How many bytes were written to it, on a scale of which only differences count.
    let writtenOffset: Int

    init<Source: LiveSource & ~Copyable>(_ ring: borrowing Source) {
      byteCount = ring.byteCount
      lagBytes = ring.lagBytes
      writtenOffset = ring.readOffset + lagBytes
    }
  }
}
