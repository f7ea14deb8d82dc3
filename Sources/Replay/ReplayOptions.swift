public import LogReading
public import VarnishLog

/// What is played, into which log, and how.
public struct ReplayOptions: Sendable {
  /// When a transaction is written.
  public enum Pace: Sendable, Equatable {
    /// As its records say that it was, so many times faster.
    case recorded(speed: Double)
    /// So many transactions a second, evenly spaced.
    case rate(Double)
    /// As soon as the one before it is.
    case max
  }

  /// The captured logs: files, directories and archives, or what is in an archive; "-" is standard input.
  public var inputs: [String]
  /// How they are read.
  public var capture = CaptureOptions()
  /// Whether they are played side by side, in the order of their times, and not one after the other.
  public var merges = false
  /// Where the live log is made; what readers are given with `-n`.
  public var directory: String
  /// When a transaction is written.
  public var pace = Pace.recorded(speed: 1)
  /// How often all of them are played; nil is until a signal ends it.
  public var passes: Int? = 1
  /// Whether transactions get other numbers than in the captured log.
  ///
  /// From the second log, and from the second pass on, they do in any case.
  public var renumbers = false
  /// Whether the times in the records become those at which they are written.
  public var shiftsTimes = false
  /// How the records lie in the live log; as in the captured one if nil.
  public var layout: LogLayout?
  /// How the live log numbers its tags; as the captured one, as far as live logs have that, if nil.
  public var numbering: TagNumbering?
  /// The size of the live log in bytes.
  public var logByteCount = 80 << 20
  /// How long readers are given to find the log before the first record.
  public var startDelaySeconds = 2.0
  /// How long readers are given to read the rest before the log goes.
  public var lingerSeconds = 2.0

  /// Chooses what is played where; everything else is as it usually is.
  public init(inputs: [String], directory: String) {
    self.inputs = inputs
    self.directory = directory
  }
}
