import VarnishLog

/// The piece of a transaction that was taken in last.
struct PresentPiece<Layout: RecordLayout> {
  /// The slot that it went into; -1 if there is none, or it was given away since.
  var slot: Int32 = -1
  /// Its records, as long as they aren't stored: they lie where the source has them.
  var records = RecordRun<Layout>.empty
  /// What was picked out of these records; nil if nothing was.
  var picked: PickedRecords<Layout>?
  /// How much was stored of its transaction before, and where that ended, to go back to if the piece turns out to be
  /// torn.
  var storedBefore = 0
  var endPlaceBefore: UInt64 = 0

  /// Notes that all of its records are stored now.
  mutating func clear() {
    records = .empty
    picked = nil
  }
}
