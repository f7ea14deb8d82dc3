/// What a route makes of a transaction, as found out on another thread.
struct Verdict {
  /// What became of it.
  enum Kind: UInt8 {
    /// It isn't what the query asks for.
    case unwanted
    /// It gives no line.
    case nothing
    /// It gives a line.
    case line
  }

  var kind = Kind.unwanted
  /// Whether a value is as long as log writers let them be by default, and whether one is longer.
  var hasCutValue = false, hasLongerValue = false
  /// How long the line is.
  var byteCount: UInt32 = 0
}
