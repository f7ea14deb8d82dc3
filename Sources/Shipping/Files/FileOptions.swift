public import Compression
public import Spool

/// The options of a file output: its file names, when it begins a new file, and what becomes of finished
/// ones.
public struct FileOptions: Sendable, Equatable {
  /// The path, which may contain strftime conversions.
  public var path: String
  /// Whether conversions in the path are expanded, in local time, whenever a file is opened.
  public var expandsTime = true
  /// Whether an existing file's content is kept; otherwise the first file is emptied.
  public var appends = false
  /// The size on disk at which a file is finished and a new one begun.
  public var rotateBytes: Int?
  /// The length of the periods, on the local clock, each of which gets a file.
  public var rotateEverySeconds: Int?
  /// How many finished files are kept; all, if nil.
  public var keep: Int?
  /// How long finished files are kept, counted from their last line; for ever, if nil.
  public var keepSeconds: Int?
  /// How many bytes finished files may have in all; any number, if nil.
  public var keepBytes: Int?
  /// The path of a symbolic link to the current file, if there is to be one.
  ///
  /// Unless it is in the same directory, the file's path should be absolute.
  public var link: String?
  /// A shell command to be run for every finished file, whose path it gets as `$1` and as `SPILLWAY_FILE`.
  public var postRotate: String?
  /// How many seconds the command may take before it is ended; any number, if nil.
  public var postRotateTimeoutSeconds: Int?
  /// The permissions and the owner of the files; what isn't set is taken from the file before.
  public var attributes = FileAttributes()
  /// What the entries are, and what every file begins with.
  public var content = EntryContent.lines()
  /// Whether entries that wait to be compressed and written are kept as they were, for a spool's disk.
  public var keepsUnsettled = false
  /// What becomes of entries that a reader hadn't taken, if the file is a named pipe.
  public var onRestart = RestartPolicy.resend
  /// When written entries are put on the disk; nil stands for the run's default.
  public var sync: SyncPolicy?
  /// How files are compressed; nil writes entries as they are.
  public var compression: CompressionMethod?

  /// A plain file that is emptied at first and then grows for ever.
  public init(path: String) { self.path = path }

  var retention: RetentionLimits { RetentionLimits(count: keep, seconds: keepSeconds, bytes: keepBytes) }

  /// Whether the output makes several files, whose marks tell their order.
  var makesSeries: Bool { rotates || retention.isLimited }

  /// The names of the output's files.
  /// - Parameter path: the path, or its target if it is a link.
  func naming(_ path: String) -> FileNaming {
    FileNaming(template: path, expandsTime: expandsName, compression: compression?.format)
  }

  /// Whether the path is to be expanded, even if it only has percent signs.
  var expandsName: Bool { expandsTime && path.contains("%") }

  /// Whether files are finished and new ones begun: by size, by time, or because the time in the name has
  /// changed when the output is reopened.
  public var rotates: Bool {
    rotateBytes != nil || rotateEverySeconds != nil || (expandsTime && hasConversion)
  }

  private var hasConversion: Bool {
    var rest = path[...]
    while let character = rest.popFirst() {
      // Two percent signs stand for one percent sign.
      if character == "%", let next = rest.popFirst(), next != "%" { return true }
    }
    return false
  }
}
