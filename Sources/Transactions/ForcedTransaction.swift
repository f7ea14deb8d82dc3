/// A transaction that was ended without its own end (`grouping.md` 6).
///
/// When that happens depends on the clock, and on which other transactions are open. A reader that begins at
/// another place than the first one knows neither, so it is told (`Grouper.beginRepetition`).
public struct ForcedTransaction: Equatable, Sendable {
  /// The transaction's number.
  public var vxid: UInt64
  /// Behind which place of the log it was ended.
  public var place: UInt64
  /// Why it was ended.
  public var reason: Reason

  /// What ends a transaction by force; the numbers may be stored.
  public enum Reason: UInt64, Sendable {
    /// It was open for too long.
    case timeout
    /// Too many were open.
    case overflow
    /// The log was interrupted, or a user asked for it.
    case flush

    /// The text of the note in the transaction.
    var words: StaticString {
      switch self {
      case .timeout: "timeout"
      case .overflow: "store overflow"
      case .flush: "flush"
      }
    }
  }

  /// A transaction that was ended behind a place.
  public init(vxid: UInt64, place: UInt64, reason: Reason) {
    self.vxid = vxid
    self.place = place
    self.reason = reason
  }
}
