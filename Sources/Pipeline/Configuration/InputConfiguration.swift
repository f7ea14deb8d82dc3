public import Rendering
public import VarnishLog

/// Where records come from, and what holds for all of them.
public struct InputConfiguration: Sendable, Equatable {
  /// A log.
  public enum Source: Sendable, Equatable {
    /// Captured logs.
    case captured(Capture)
    /// Shared memory, which may be written while it is read.
    case live(LiveLog)

    /// A captured log by itself.
    public static func file(_ path: String) -> Source { .captured(Capture([path])) }
    /// The instance that `-n` names; the default one if nil.
    public static func instance(_ name: String?) -> Source { .live(.instance(name)) }
    /// The one file of a server before 5.2.
    public static func memoryFile(_ path: String) -> Source { .live(.memoryFile(path)) }

    /// Whether it may be written while it is read.
    var isLive: Bool {
      if case .captured = self { false } else { true }
    }
  }

  /// Shared memory, by where it is found.
  public enum LiveLog: Sendable, Equatable {
    /// The instance that `-n` names; the default one if nil.
    case instance(String?)
    /// The one file of shared memory that a server before 5.2 has, even if the file is abandoned or replaced.
    case memoryFile(String)
  }

  /// The log.
  public var source: Source
  /// The release whose rules are applied strictly; nil applies the rules that go with the log.
  public var compatibility: VarnishVersion?
  /// The release that has written the log in a file; nil if it is to be found out.
  public var release: VarnishVersion?
  /// What the options of 2.0 to 3.0 select of the records of a log of these releases.
  public var oldSelection = OldSelection()
  /// Whether a log of 2.0 to 3.0 is shown request by request or record by record; nil does what the tools of
  /// its release do.
  public var showsOldGroups: Bool?
  /// How many transactions may be unfinished.
  public var openTransactionsMax = 1000
  /// How long a transaction may be unfinished, in seconds.
  public var timeoutSeconds = 120.0
  /// Whether to read what is in a live log and then end.
  public var existingOnly = false
  /// How long to wait for an instance, in seconds; nil is for ever.
  public var attachSeconds: Double? = 5
  /// Whether pieces of a file that belong to no transaction make the run a failure.
  public var reportsOrphans = true

  /// A log, read with the usual limits.
  public init(_ source: Source) { self.source = source }

  /// Whether several logs are read side by side, and what is made of them is put in the order of time.
  public var merges: Bool {
    if case .captured(let capture) = source { capture.merges } else { false }
  }

  /// The tag numbering of the release that `compatibility` names.
  var assumedNumbering: TagNumbering? { compatibility.map { TagNumbering(of: $0) } }
}
