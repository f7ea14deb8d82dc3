import Platform
import Rendering
import Transactions
import VarnishLog

/// The kind of entries that an output shows, with their renderer.
enum ShownEntries: ~Copyable {
  /// A line for each transaction that is selected.
  case lines(Box<LineMaker>)
  /// Groups as a whole.
  case groups(Box<GroupRenderer>)
  /// Every record by itself.
  case records(Box<GroupRenderer>)
  /// The records of a log without transactions, as that log's own tools show them.
  case singles(Box<OldRenderer>)

  /// The records that the renderer wants picked out of transactions.
  var wish: PickWish {
    switch self {
    case .lines(let maker): maker.value.composer.wish
    // These renderers walk over all records.
    case .groups: PickWish()
    case .records: PickWish()
    case .singles: PickWish()
    }
  }

  /// The records that a grouper must keep until a transaction is finished.
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
  /// - Parameter captures: the captures that its format shares with others.
  /// - Returns: whether the transaction gives a line.
  mutating func render<Layout: RecordLayout>(
    _ transaction: Transaction<Layout>, _ captures: inout Captures, to line: inout LineWriter
  ) -> Bool {
    selection.includes(transaction) && composer.render(transaction, &captures, to: &line) == .line
  }
}
