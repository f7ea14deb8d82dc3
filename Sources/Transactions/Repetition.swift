/// A transaction that was open at some place of the log: begun or named by a relative, and its group not finished.
public struct UnfinishedTransaction: Equatable, Sendable {
  /// The transaction's number.
  public var vxid: UInt64
  /// Where the piece by which it became known begins: its own first one, or that of the relative that named
  /// it.
  public var firstPlace: UInt64

  /// A transaction that became known at a place.
  public init(vxid: UInt64, firstPlace: UInt64) {
    self.vxid = vxid
    self.firstPlace = firstPlace
  }
}

/// Reading a part of a log again so that the same groups end at the same places (`grouping.md` 6.1).
///
/// Up to the place of resumption, only those transactions are taken that were unfinished there. Of all others
/// a reader that begins in the middle would see a part, such as a request without the fetch that was logged
/// before it, and wait for the rest.
struct Repetition {
  /// The place up to which only transactions that were unfinished there are taken.
  let resumption: UInt64
  /// The places from which on the unfinished transactions were known, by their numbers.
  let firstPlaces: [UInt64: UInt64]
  /// The transactions that were ended by force, in the order of the places.
  let forced: [ForcedTransaction]
  /// How many of these have been ended again.
  var forcedCount = 0

  init(of unfinished: [UnfinishedTransaction], at resumption: UInt64, _ forced: [ForcedTransaction]) {
    self.resumption = resumption
    firstPlaces = Dictionary(unfinished.map { ($0.vxid, $0.firstPlace) }, uniquingKeysWith: min)
    self.forced = forced
  }

  /// The transaction that is to be ended next; nil if there is none.
  var nextForced: ForcedTransaction? { forcedCount < forced.count ? forced[forcedCount] : nil }

  /// The place behind which that is.
  var nextForcedPlace: UInt64 { nextForced?.place ?? .max }

  /// Whether a number at a place meant a transaction that was finished by the place of resumption, or none.
  func isOver(_ vxid: UInt64, at place: UInt64) -> Bool {
    guard place < resumption else { return false }
    guard let first = firstPlaces[vxid] else { return true }
    return place < first
  }
}
