import LogReading

/// What has happened to a live log since the last step.
enum FollowEvent {
  /// There is no log, for this reason; a message says each new reason once.
  case absent(String)
  /// A log was found; `isNew` if another log had been read before.
  case attached(isNew: Bool)
  /// The log has had no record that tells its numbering for so long that a message says so.
  case silent
  /// Records were read, or there were none to read.
  case read(isIdle: Bool)
  /// So many bytes were overwritten before they were read.
  case overrun(lostBytes: Int)
  /// The log has something that no server writes; reading goes on behind it.
  case damaged(LogError)
  /// A transaction grew beyond the largest size that is stored.
  case oversized(vxid: UInt64)
  /// Another process writes the log from now on, without moving it.
  case restarted
  /// The process that writes the log has ended without a sign; another one may take over at any time.
  case orphaned
  /// The server no longer uses the log that was read: its worker, or the server itself, was restarted or has
  /// ended.
  case lost
  /// Nothing more is to be read: everything that was asked for has been read, or the wait for the first log
  /// is over.
  case over
}
