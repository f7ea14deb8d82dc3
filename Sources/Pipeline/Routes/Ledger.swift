import Spool
import Shipping

/// What has become of everything that one output was to have.
///
/// `seen + inherited = written + filtered + dropped + unconfirmed + kept + queued` holds at any moment;
/// `queued`, the entries on their way, is 0 once the output has ended.
public struct Ledger: Sendable, Equatable {
  /// Why a transaction, a group or a record isn't in the output.
  public enum Cause: String, Sendable, CaseIterable {
    /// It is of another side, a session, was restarted, or isn't matched by the queries.
    case unwanted
    /// It is in the part that `--sample` leaves out.
    case sampledOut = "sampled_out"
    /// `-R` let enough through already.
    case rateLimited = "rate_limited"
    /// There was no room in memory, and none was made in time.
    case spoolFull = "spool_full"
    /// There was no room in memory, as the spool's directory had none either.
    case diskFull = "disk_full"
    /// It was larger than any line may be.
    case oversize
    /// It was larger than a message to the consumer may be.
    case tooLarge = "too_large"
    /// The output failed for good while it was on its way.
    case consumerGone = "consumer_gone"
    /// It came back damaged from the spool's directory.
    case damaged
    /// It was overwritten while it was being read.
    case torn
  }

  private var counts = Counts()
  /// Entries handed to the output.
  public var committed = 0
  /// Entries that reached the output, those that an earlier run had left for it included.
  public var written = 0
  /// Of the entries handed to the output, those that a connection may have swallowed when it was reset.
  public var unconfirmed = 0
  /// Of the entries handed to the output, those that it failed to deliver.
  public var undelivered: Int { self[.consumerGone] + self[.damaged] + self[.tooLarge] }
  /// Entries that an earlier run had left for the output.
  public var inherited = 0
  /// Of the entries handed to the output, those that it has left for the next run.
  public var kept = 0
  /// Bytes of the log that were overwritten before they were read.
  public var lostBytes = 0
  /// Bytes of the log that were read, for estimating how many transactions were lost.
  public var readBytes = 0
  /// Groups that were taken incomplete because too many were open.
  public var incompleteByLimit = 0
  /// Groups that were taken incomplete because they took too long.
  public var incompleteByTimeout = 0
  /// Groups that were under way when a reload asked for records that hadn't been kept, which they may lack.
  public var incompleteByReload = 0

  /// Entries that an earlier run had done and that were passed over when the log was read again.
  public var repeated = 0

  /// How many bytes of the log an entry was made of in an earlier run; 0 if that isn't known.
  var formerEntryBytes = 0
  /// Entries handed to the output with a value that the log's writer has probably cut.
  public var truncated = 0
  /// Lines that say where something was lost; they count as seen, and as written or dropped.
  public var marks = 0

  /// All counts are zero.
  public init() {}

  /// How many entries were lost or left out for a cause.
  public subscript(cause: Cause) -> Int {
    get { counts[cause] }
    set { counts[cause] = newValue }
  }

  /// Entries that were left out by selection, query, sample or rate limit.
  public var filtered: Int { self[.unwanted] + self[.sampledOut] + self[.rateLimited] }

  /// Entries for which there was no room.
  public var refused: Int { self[.spoolFull] + self[.diskFull] + self[.oversize] }

  /// Everything that the output was to have.
  public var seen: Int { committed + refused + filtered }

  /// Of the entries handed to the output, those that are still on their way.
  public var queued: Int { inherited + committed - written - unconfirmed - undelivered - kept }

  /// Entries that will never be written.
  public var dropped: Int { refused + undelivered }

  /// Transactions that were overwritten before they were read: those found so, and an estimate from the bytes that
  /// are missing and the average size of those that were read.
  public var lost: Int {
    guard lostBytes > 0 else { return self[.torn] }
    return self[.torn] + max(1, lostBytes / averageBytes)
  }

  /// How many bytes of the log an entry is made of on average.
  var averageBytes: Int {
    if seen < Self.seenForAverage, formerEntryBytes > 0 { return formerEntryBytes }
    return readBytes > 0 ? max(1, readBytes / max(1, seen - marks + repeated)) : Self.usualTransactionBytes
  }

  private static let usualTransactionBytes = 1500
  /// How many entries must have been seen before their average replaces that of the earlier run.
  private static let seenForAverage = 1000

  /// Takes over the output's numbers for the entries that it was handed.
  ///
  /// - Parameters:
  ///   - report: its numbers; nil if it isn't open yet.
  ///   - isFinal: whether the output has ended, so that what is not delivered never will be.
  mutating func note(_ report: OutputReport?, isFinal: Bool) {
    if let report { note(report) }
    if isFinal { self[.consumerGone] += queued }
  }

  private mutating func note(_ report: OutputReport) {
    inherited = report.inherited.entries
    kept = report.kept.entries
    written = report.written.entries
    unconfirmed = report.unconfirmed.entries
    self[.damaged] = report.droppedByDamage.entries
    self[.consumerGone] = report.droppedByFailure.entries
    self[.tooLarge] = report.droppedAsTooLarge.entries
  }

  /// Adds the account of another output.
  static func += (sum: inout Ledger, other: Ledger) {
    for cause in Cause.allCases { sum[cause] += other[cause] }
    sum.committed += other.committed
    sum.written += other.written
    sum.unconfirmed += other.unconfirmed
    sum.inherited += other.inherited
    sum.kept += other.kept
    sum.lostBytes += other.lostBytes
    sum.readBytes += other.readBytes
    sum.incompleteByLimit += other.incompleteByLimit
    sum.incompleteByTimeout += other.incompleteByTimeout
    sum.incompleteByReload += other.incompleteByReload
    sum.truncated += other.truncated
    sum.marks += other.marks
    sum.repeated += other.repeated
  }

  /// The accounting line.
  public var description: String {
    let sums = "seen=\(seen) written=\(written) filtered=\(filtered) dropped=\(dropped) lost=\(lost)"
    let others = [
      ("inherited", inherited), ("kept", kept), ("queued", queued), ("unconfirmed", unconfirmed),
      ("repeated", repeated),
    ]
    return others.reduce(sums) { line, figure in
      figure.1 > 0 ? line + " \(figure.0)=\(figure.1)" : line
    }
  }

  /// Whether no entry is on its way any more: each has been written, left out or counted as dropped.
  var isSettled: Bool { queued == 0 && undelivered >= 0 }

  /// Whether nothing was dropped, lost or left unconfirmed.
  var isComplete: Bool { dropped + lost + unconfirmed == 0 }
}

/// A count for each cause.
///
/// These are named fields instead of an array, as a count changes with every transaction, and an array's
/// storage would be checked for uniqueness each time.
private struct Counts: Sendable, Equatable {
  private var unwanted = 0, sampledOut = 0, rateLimited = 0, spoolFull = 0, diskFull = 0, consumerGone = 0
  private var oversize = 0, tooLarge = 0
  private var damaged = 0, torn = 0

  subscript(cause: Ledger.Cause) -> Int {
    @inline(__always) get {
      switch cause {
      case .unwanted: unwanted
      case .sampledOut: sampledOut
      case .rateLimited: rateLimited
      case .spoolFull: spoolFull
      case .diskFull: diskFull
      case .oversize: oversize
      case .tooLarge: tooLarge
      case .consumerGone: consumerGone
      case .damaged: damaged
      case .torn: torn
      }
    }
    @inline(__always) set {
      switch cause {
      case .unwanted: unwanted = newValue
      case .sampledOut: sampledOut = newValue
      case .rateLimited: rateLimited = newValue
      case .spoolFull: spoolFull = newValue
      case .diskFull: diskFull = newValue
      case .oversize: oversize = newValue
      case .tooLarge: tooLarge = newValue
      case .consumerGone: consumerGone = newValue
      case .damaged: damaged = newValue
      case .torn: torn = newValue
      }
    }
  }
}
