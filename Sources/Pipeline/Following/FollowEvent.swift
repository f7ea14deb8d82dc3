import LogReading

/// What has happened to a live log since the last step.
enum FollowEvent {
  /// There is no log, and why; said once for each reason.
  case absent(String)
  /// A log was found; `isNew` if another one had been read before.
  case attached(isNew: Bool)
  /// The log has had no record that tells its numbering for so long that it is worth saying.
  case silent
  /// Records were read, or there were none.
  case read(isIdle: Bool)
  /// So many bytes were overwritten before they were read.
  case overrun(lostBytes: Int)
  /// There is something in the log that no server writes; reading goes on behind it.
  case damaged(LogError)
  /// A transaction grew beyond all measure.
  case oversized(vxid: UInt64)
  /// Another process writes the log from now on, which has stayed where it was.
  case restarted
  /// The process that writes the log has ended without a sign; there may be another one at any time.
  case orphaned
  /// The server has let go of the log that was read: its worker or itself was started anew, or has ended.
  case lost
  /// Nothing more is to be read: all that was asked for was, or the first log isn't waited for any longer.
  case over
}
