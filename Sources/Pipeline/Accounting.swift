import Spool
import Shipping

/// Where every transaction that was seen has ended: the sum holds at any time.
public struct Accounting: Sendable, Equatable {
  /// Transactions that gave no line: ruled out, of another side, restarted, sessions.
  public var filtered = 0
  /// Lines handed to the output.
  public var committed = 0
  /// Lines for which there was no room.
  public var refused = 0
  /// Lines that reached the output, those that an earlier run had left for it included.
  public var written = 0
  /// Of the lines handed to the output, those that a connection may have swallowed when it was reset.
  public var unconfirmed = 0
  /// Of the lines handed to the output, those it failed to deliver.
  public var undelivered = 0
  /// Lines that an earlier run had left for the output.
  public var inherited = 0
  /// Of the lines handed to the output, those it has left for the next run.
  public var kept = 0
  /// Bytes of the log that were overwritten before they were read.
  public var lostBytes = 0
  /// Transactions found overwritten while they were being read.
  public var torn = 0
  /// Bytes of the log that were read, for estimating how many transactions were lost.
  var readBytes = 0

  /// Counts nothing yet.
  public init() {}

  /// Transactions that were seen.
  public var seen: Int { committed + refused + filtered }

  /// Of the lines handed to the output, those that are still on their way.
  public var queued: Int { inherited + committed - written - unconfirmed - undelivered - kept }

  /// Lines that will never be written.
  public var dropped: Int { refused + undelivered }

  /// Transactions that were overwritten before they were read, estimated from the bytes and the average
  /// size of those that were read.
  public var lost: Int {
    guard lostBytes > 0 else { return torn }
    let average = readBytes > 0 ? max(1, readBytes / max(1, seen)) : Self.usualTransactionBytes
    return torn + max(1, lostBytes / average)
  }

  private static let usualTransactionBytes = 1500

  /// Takes over what has become of the lines that were handed to an output.
  ///
  /// - Parameter isFinal: whether the output has ended, so that what is not delivered never will be.
  mutating func note(_ report: OutputReport, isFinal: Bool) {
    inherited = report.inherited.entries
    kept = report.kept.entries
    written = report.written.entries
    unconfirmed = report.unconfirmed.entries
    undelivered = report.droppedByFailure.entries + report.droppedByDamage.entries
    if isFinal { undelivered += queued }
  }

  /// The line for standard error.
  public var description: String {
    let sums = "seen=\(seen) written=\(written) filtered=\(filtered) dropped=\(dropped) lost=\(lost)"
    let others = [
      ("inherited", inherited), ("kept", kept), ("queued", queued), ("unconfirmed", unconfirmed),
    ]
    return others.reduce(sums) { line, figure in
      figure.1 > 0 ? line + " \(figure.0)=\(figure.1)" : line
    }
  }

  /// Whether nothing is on its way any more: all that came in has come out, or is known to have gone elsewhere.
  var isSettled: Bool { queued == 0 && undelivered >= 0 }

  /// Whether nothing was lost, and nothing may have been.
  var isComplete: Bool { dropped + lost + unconfirmed == 0 }
}
