/// Which log it is: a log that is made anew under an old name is another one.
public struct LogIncarnation: Hashable, Sendable {
  /// Device and inode number of the log's file.
  public let device: UInt64, inode: UInt64
  /// The process that writes the log; nil for a file, which has no writer.
  public let writer: Writer?

  /// A process and when it began to write.
  public struct Writer: Hashable, Sendable {
    /// The number of the process.
    public let pid: Int32
    /// When the process began, in seconds since 1970, as the log says.
    public let birth: Int64

    /// Names a process by its number and birth.
    public init(pid: Int32, birth: Int64) {
      self.pid = pid
      self.birth = birth
    }
  }

  /// Names a log by its file and, if it is live, by its writer.
  public init(device: UInt64, inode: UInt64, writer: Writer? = nil) {
    self.device = device
    self.inode = inode
    self.writer = writer
  }
}
