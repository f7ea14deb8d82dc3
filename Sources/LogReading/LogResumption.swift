/// The result of going on at a position where reading had stopped before.
public enum LogResumption: Equatable, Sendable {
  /// The log still has the position, and reading goes on with what follows it.
  case held
  /// The server has overwritten this much behind it, and reading goes on behind the gap.
  case overrun(lostBytes: Int)
  /// It is a position of another log, or of one that can be read only once, such as a pipe.
  case otherIncarnation
  /// It is a position of this log, but no record begins or ends there: the file was cut or overwritten, or the
  /// position is made up.
  case noSuchPlace
  /// It is a position of this log, but nothing tells how far the log has come since.
  ///
  /// The log doesn't count how often it begins anew, or what is there now doesn't go with what it counts. Its
  /// places can't be compared with those that were known before.
  case incomparable
}
