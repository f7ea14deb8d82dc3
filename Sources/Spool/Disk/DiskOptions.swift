extension Spool {
  /// A disk for entries that memory has no room for, and for undelivered entries that the next run takes
  /// over.
  public struct DiskOptions: Sendable {
    /// The directory, for one output of one process.
    public var directory: String
    /// How many bytes the files in it may have.
    public var limitBytes: Int
    /// What the entries are.
    public var content: EntryContent
    /// Called, on any thread, with one line about a trouble with the disk or about entries found on it.
    public var warn: @Sendable (String) -> Void
    /// The sequence in front of which entries are settled by the checkpoint; nil if that isn't known.
    ///
    /// Used only if that checkpoint's run was the last to use the directory.
    public var settledThrough: Int?
    /// The checkpoint that the marks of this run's entries belong to; 0 if there is none.
    ///
    /// Marks of entries on disk that belong to another checkpoint mean nothing.
    public var lineage: UInt64 = 0
    /// The mark from which on all entries are rendered again, as the log is read once more; nil if none are.
    ///
    /// Entries of an earlier run that are missing on disk leave a gap. Entries on disk behind the gap that
    /// are rendered again are dropped, so that all entries keep their order.
    public var repeatedFrom: EntryMark?
    /// Whether entries that have waited for a second go to disk even while memory has room for them, so that
    /// they outlive a kill.
    public var keepsUp = false

    /// A directory that may hold 10 GiB of lines unless told otherwise.
    public init(
      directory: String, limitBytes: Int = 10 << 30, content: EntryContent = .lines(),
      warn: @escaping @Sendable (String) -> Void = { _ in }
    ) {
      self.directory = directory
      self.limitBytes = limitBytes
      self.content = content
      self.warn = warn
    }
  }
}
