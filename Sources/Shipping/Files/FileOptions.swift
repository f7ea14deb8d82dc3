public import Compression
public import Spool

/// What a file output is called and when it begins a new file.
public struct FileOptions: Sendable, Equatable {
  /// The path, which may contain strftime conversions.
  public var path: String
  /// Whether conversions in the path are expanded, in local time, whenever a file is opened.
  public var expandsTime = true
  /// Whether what is there already is kept; otherwise the first file is emptied.
  public var appends = false
  /// The size on disk at which a file is finished and a new one begun.
  public var rotateBytes: Int?
  /// The length of the periods, on the local clock, that get a file each.
  public var rotateEverySeconds: Int?
  /// How many finished files are kept; all, if nil.
  public var keep: Int?
  /// How long finished files are kept, counted from their last line; for ever, if nil.
  public var keepSeconds: Int?
  /// How many bytes finished files may have in all; any number, if nil.
  public var keepBytes: Int?
  /// Where a symbolic link to the current file is wanted.
  ///
  /// Unless it is in the same directory, the file's path should be absolute.
  public var link: String?
  /// A shell command to be run for every finished file, whose path it gets as `$1` and as `SPILLWAY_FILE`.
  public var postRotate: String?
  /// How many seconds that may take before it is ended; any number, if nil.
  public var postRotateTimeoutSeconds: Int?
  /// Who may read and write the files; what isn't given, a file has from the one before it.
  public var attributes = FileAttributes()
  /// What the entries are, and what every file begins with.
  public var content = EntryContent.lines()
  /// Whether entries that wait to be compressed and written can be had as they were, for a spool's disk.
  public var keepsUnsettled = false
  /// What becomes of what a reader hadn't taken, where the file is a named pipe.
  public var onRestart = RestartPolicy.resend
  /// When what was written is put on the disk; nil is what is usual for the run.
  public var sync: SyncPolicy?
  /// How it is compressed; nil writes entries as they are.
  public var compression: CompressionMethod?

  /// A plain file that is emptied at first and then grows for ever.
  public init(path: String) { self.path = path }

  var retention: RetentionLimits { RetentionLimits(count: keep, seconds: keepSeconds, bytes: keepBytes) }

  /// Whether it makes several files, which say in which order.
  var makesSeries: Bool { rotates || retention.isLimited }

  /// How its files are called.
  /// - Parameter path: where the name leads, should it be a link.
  func naming(_ path: String) -> FileNaming {
    FileNaming(template: path, expandsTime: expandsName, compression: compression?.format)
  }

  /// Whether the path is to be expanded, be it that it has nothing but percent signs.
  var expandsName: Bool { expandsTime && path.contains("%") }

  /// Whether files are finished and others begun: by size, by time, or because the time in the name has changed
  /// when they are opened again.
  public var rotates: Bool {
    rotateBytes != nil || rotateEverySeconds != nil || (expandsTime && hasConversion)
  }

  private var hasConversion: Bool {
    var rest = path[...]
    while let character = rest.popFirst() {
      // Two percent signs stand for one.
      if character == "%", let next = rest.popFirst(), next != "%" { return true }
    }
    return false
  }
}
