import Platform
import Rendering
import Transactions
import VarnishLog

/// What an output shows, with what renders it.
enum ShownEntries: ~Copyable {
  /// A line for each transaction that is selected.
  case lines(Box<LineMaker>)
  /// Groups as a whole.
  case groups(Box<GroupRenderer>)
  /// Every record by itself.
  case records(Box<GroupRenderer>)
  /// What a log without transactions holds, as its own tools show it.
  case singles(Box<OldRenderer>)

  /// The records that are to be picked out of transactions for it.
  var wish: PickWish {
    switch self {
    case .lines(let maker): maker.value.composer.wish
    // They walk over all records.
    case .groups: PickWish()
    case .records: PickWish()
    case .singles: PickWish()
    }
  }

  /// The records that must survive until a transaction is finished.
  var kept: PickWish {
    switch self {
    case .lines: wish
    case .groups: .all
    case .records: .all
    case .singles: .all
    }
  }
}

/// Makes lines of those transactions that are selected.
struct LineMaker: ~Copyable {
  let selection: Selection
  var composer: LineComposer

  /// Writes a transaction's line.
  ///
  /// - Parameter captures: those that its format shares.
  /// - Returns: whether it gives one.
  mutating func render<Layout: RecordLayout>(
    _ transaction: Transaction<Layout>, _ captures: inout Captures, to line: inout LineWriter
  ) -> Bool {
    selection.includes(transaction) && composer.render(transaction, &captures, to: &line) == .line
  }
}
