@testable import Shipping
@testable import Spool
import Testing

/// An output's account of what its sink reports.
@Suite struct OutputAccountTests {
  /// A place among ten entries of ten bytes, of which the fourth to sixth were lost before this run.
  private func place(_ sequence: Int) -> SpoolPlace {
    let read = sequence <= 3 ? sequence : sequence - 3
    return SpoolPlace(sequence: sequence, read: Tally(entries: read, bytes: 10 * read))
  }

  private func stretch(_ start: Int, _ end: Int) -> EntryStretch {
    EntryStretch(from: place(start), to: place(end))
  }

  @Test func whatIsMissingInTheSpoolIsNotWritten() {
    var account = OutputAccount(from: place(0))
    account.advance(accepted: place(8), settled: place(7))
    #expect(account.written == Tally(entries: 4, bytes: 40))
  }

  @Test func whatIsGivenUpBehindWhatIsOnItsWayCountsOnce() {
    var account = OutputAccount(from: place(0))
    account.giveUp(GivenUp(stretch(2, 3), .tooLarge))
    account.advance(accepted: place(8), settled: place(1))
    #expect(account.written.entries == 1)
    account.advance(accepted: place(8), settled: place(3))
    #expect(account.written.entries == 2)
    account.advance(accepted: place(8), settled: place(8))
    #expect(account.written.entries == 4)
    #expect(account.givenUp[.tooLarge].entries == 1)
  }

  @Test func whatTurnsOutToBeUnconfirmedIsWrittenNoLonger() {
    var account = OutputAccount(from: place(0))
    account.advance(accepted: place(8), settled: place(8))
    account.giveUp(GivenUp(stretch(6, 8), .unconfirmed))
    #expect(account.written.entries == 3)
    #expect(account.givenUp[.unconfirmed] == Tally(entries: 2, bytes: 20))
  }

  @Test func withTheOutputAllIsGivenUpThatHasNotArrived() {
    var account = OutputAccount(from: place(0))
    account.giveUp(GivenUp(stretch(2, 3), .consumerGone))
    account.advance(accepted: place(7), settled: place(2))
    account.close(with: .outputFailed, at: place(7))
    account.close(with: .outputFailed, at: place(10))
    #expect(account.written.entries == 2)
    #expect(account.givenUp[.consumerGone].entries == 1)
    #expect(account.givenUp[.outputFailed].entries == 4)
    // Later changes of the sink, such as learning at its end that some entries have arrived, have no effect.
    account.advance(accepted: place(10), settled: place(10))
    #expect(account.written.entries + account.givenUp[.outputFailed].entries == 6)
  }
}
