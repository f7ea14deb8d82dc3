public import LogReading
public import VarnishLog

/// What is replayed, into which log, and how.
public struct ReplayOptions: Sendable {
  /// When a transaction is written.
  public enum Pace: Sendable, Equatable {
    /// At the pace of the recorded times, faster by a factor.
    case recorded(speed: Double)
    /// At this many transactions per second, evenly spaced.
    case rate(Double)
    /// Immediately after the transaction before it.
    case max
  }

  /// The captured logs: files, directories, archives, or files in an archive; "-" is standard input.
  public var inputs: [String]
  /// How they are read.
  public var capture = CaptureOptions()
  /// Whether they are played side by side in the order of their times, instead of one after the other.
  public var merges = false
  /// The directory of the live log, which readers take with `-n`.
  public var directory: String
  /// When a transaction is written.
  public var pace = Pace.recorded(speed: 1)
  /// How often all of them are played; nil means until a signal ends the replay.
  public var passes: Int? = 1
  /// Whether transactions get other numbers than in the captured log.
  ///
  /// From the second log, and from the second pass on, they get other numbers in any case.
  public var renumbers = false
  /// Whether the times in the records become those at which they are written.
  public var shiftsTimes = false
  /// The layout of records in the live log; nil means that of the captured log.
  public var layout: LogLayout?
  /// The numbering of tags in the live log; nil means that of the captured log, or the nearest that live logs
  /// have.
  public var numbering: TagNumbering?
  /// The size of the live log in bytes.
  public var logByteCount = 80 << 20
  /// How long readers have to find the log before the first record.
  public var startDelaySeconds = 2.0
  /// How long readers have to read the rest before the log is removed.
  public var lingerSeconds = 2.0

  /// Chooses inputs and directory; everything else has its default value.
  public init(inputs: [String], directory: String) {
    self.inputs = inputs
    self.directory = directory
  }
}
