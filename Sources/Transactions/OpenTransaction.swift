import VarnishLog

/// A transaction the grouper knows and hasn't handed on: begun, or only named by a relative.
///
/// Relatives are indices into the grouper's slots; -1 stands for none.
struct OpenTransaction<Layout: RecordLayout> {
  var vxid: UInt64 = 0
  var parentVXID: UInt64 = 0
  var type = TransactionType.unknown
  var reason = TransactionReason.other
  var side = Side.none
  var hasBegin = false
  var isComplete = false
  var isForced = false
  /// When it was created, on the clock the grouper is told.
  var createdNanoseconds: Int64 = 0

  /// Where the piece that created it begins: its own piece, or that of a relative.
  var openedPlace: UInt64 = 0
  /// Where its first record begins; as long as there is none, where the piece that named it begins.
  var firstPlace: UInt64 = 0
  /// Where its last record ends; 0 as long as there is none.
  var endPlace: UInt64 = 0
  /// The place behind which its group was complete, if it is the root of one.
  var completionPlace: UInt64 = 0

  var parent: Int32 = -1
  var firstChild: Int32 = -1
  var lastChild: Int32 = -1
  var nextSibling: Int32 = -1
  /// Children that aren't ready yet.
  var unreadyChildren: Int32 = 0

  /// The records of earlier pieces that are kept.
  var store = RecordStore<Layout>()

  var isReady: Bool { isComplete && unreadyChildren == 0 }

  /// The side that records made up for this transaction are marked with.
  var markerSide: Side {
    switch type {
    case .request: .client
    case .backendRequest: .backend
    case .session, .unknown: .none
    }
  }

  /// The transaction, with records that are in its store, and others that lie where the source has them.
  func transaction(
    level: Int, inPlace: RecordRun<Layout>, _ picked: PickedRecords<Layout>?
  ) -> Transaction<Layout> {
    Transaction(
      vxid: vxid, parentVXID: parentVXID, type: type, reason: reason, side: side, level: level,
      isForced: isForced, firstPlace: firstPlace, endPlace: max(firstPlace, endPlace), stored: store.records,
      inPlace: inPlace, picked: picked)
  }
}
