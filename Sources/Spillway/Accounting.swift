/// Where every transaction that was seen has ended: the sums hold at any time.
public struct Accounting: Sendable, Equatable {
  /// Transactions that gave no line: ruled out, of another side, restarted, sessions.
  public var filtered = 0
  /// Lines handed to the output's spool.
  public var committed = 0
  /// Lines that reached the output's target.
  public var written = 0
  /// Lines that found no room, or that the output failed to take.
  public var dropped = 0
  /// Bytes of the log that were overwritten before they were read.
  public var lostBytes = 0
  /// Transactions found overwritten while they were being read.
  public var torn = 0
  /// Bytes of the log that were read, for estimating how many transactions were lost.
  var readBytes = 0

  /// Counts nothing yet.
  public init() {}

  /// Transactions that have come to an end, one way or another.
  public var seen: Int { written + filtered + dropped }

  /// Lines still on their way.
  public var queued: Int { committed + droppedBeforeCommit - written - dropped }

  /// Of the dropped lines, those that never got into the spool.
  var droppedBeforeCommit = 0

  /// Transactions that were overwritten before they were read, estimated from the bytes and the average
  /// size of those that were read.
  public var lost: Int {
    guard lostBytes > 0 else { return torn }
    let finished = max(1, committed + filtered + droppedBeforeCommit)
    let average = readBytes > 0 ? max(1, readBytes / finished) : Self.usualTransactionBytes
    return torn + max(1, lostBytes / average)
  }

  private static let usualTransactionBytes = 1500

  /// The line for standard error.
  public var description: String {
    let sums = "seen=\(seen) written=\(written) filtered=\(filtered) dropped=\(dropped) lost=\(lost)"
    return queued > 0 ? sums + " queued=\(queued)" : sums
  }
}
