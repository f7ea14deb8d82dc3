/// What a route makes of a transaction, as another thread has found out.
struct Verdict {
  /// What comes of the transaction.
  enum Kind: UInt8 {
    /// The query doesn't match it.
    case unwanted
    /// It gives no line.
    case nothing
    /// It gives a line.
    case line
  }

  var kind = Kind.unwanted
  /// Whether one of the line's values is as long as log writers let values be by default, and whether one is
  /// longer.
  var hasCutValue = false, hasLongerValue = false
  /// The length of the line.
  var byteCount: UInt32 = 0
}
