@testable import Shipping
@testable import Spool

extension LinkSink {
  /// What was taken and isn't known to have been taken by the consumer.
  var unsettled: Tally { window.contents }

  /// What was given up for one cause; only tests ask for it.
  func tally(givenUp cause: GivenUp.Cause) -> Tally {
    givenUp.filter { $0.cause == cause }.map(\.entries).tally
  }
}

extension FileSink {
  /// What waits in memory to be compressed and written.
  var unsettled: Tally { memberContents }
}

extension Sequence<EntryStretch> {
  /// All of them.
  var tally: Tally { reduce(.zero) { $0 + $1.tally } }
}
