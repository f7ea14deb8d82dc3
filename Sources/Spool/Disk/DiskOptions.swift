extension Spool {
  /// A disk that takes what memory has no room for, and keeps what couldn't be delivered for the next run.
  public struct DiskOptions: Sendable {
    /// The directory, for one output of one process.
    public var directory: String
    /// How much it may hold, in bytes.
    public var limitBytes: Int
    /// What the entries are.
    public var content: EntryContent
    /// Told, in one line, what is wrong with the disk or what was found on it; called on any thread.
    public var warn: @Sendable (String) -> Void
    /// In front of which sequence entries are settled by the checkpoint; nil if that isn't known.
    ///
    /// It counts if it was that checkpoint's run that has used the directory last.
    public var settledThrough: Int?
    /// Which checkpoint entries' marks belong to; 0 if there is none.
    ///
    /// The marks of entries on disk that belong to another one mean nothing.
    public var lineage: UInt64 = 0
    /// From which mark on all entries come again, as the log is read once more; nil if none do.
    ///
    /// Entries of an earlier run that aren't there all the same leave a gap. What is on disk behind that, and comes
    /// again, is dropped, so that everything keeps its order.
    public var repeatedFrom: EntryMark?
    /// Whether entries that have waited for a second also go to disk as long as there is memory for them, so that a
    /// kill leaves them there.
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
