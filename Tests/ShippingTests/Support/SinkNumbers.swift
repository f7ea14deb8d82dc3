@testable import Shipping
@testable import Spool

extension LinkSink {
  /// The entries that the sink has taken and that aren't known to have been taken by the consumer.
  var unsettled: Tally { window.contents }

  /// The entries that were given up for a given cause; only tests need this.
  func tally(givenUp cause: GivenUp.Cause) -> Tally {
    givenUp.filter { $0.cause == cause }.map(\.entries).tally
  }
}

extension FileSink {
  /// The entries that wait in memory to be compressed and written.
  var unsettled: Tally { memberContents }
}

extension Sequence<EntryStretch> {
  /// The sum of all stretches.
  var tally: Tally { reduce(.zero) { $0 + $1.tally } }
}
