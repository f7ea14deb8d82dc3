@testable import Platform
@testable import Shipping
@testable import Spool
import Testing

/// The handling of entries when consumers come, stall and go, with a simulated consumer and a clock that the
/// tests set.
@Suite struct LinkSinkTests {
  private let link = FakeLink()
  private let said = Collected<String>()

  private func sink(_ change: (inout LinkOptions) -> Void = { _ in }) -> LinkSink {
    var options = LinkOptions()
    change(&options)
    return LinkSink(link, options) { [said] in said.append($0) }
  }

  @Test func pausesDoubleUpToHalfAMinuteAndAreSaidOnce() throws {
    let sink = sink()
    link.onBegin = .ended(LinkEnd(reason: "connect: refused"))
    var now = Moment.test
    var pauses: [Double] = []
    for _ in 0..<12 {
      let wait = try #require(try sink.tick(at: now))
      #expect(try sink.tick(at: now) == wait, "not before its time")
      pauses.append(Double(wait) / 1e9)
      now = now.later(seconds: pauses.last ?? 0)
    }
    #expect(pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30])
    #expect(link.beginnings == 12)
    #expect(said.all == ["fake: connect: refused; it is tried again until it works, next in 0.1 s"])

    link.onBegin = .ended(LinkEnd(reason: "connect: no route"))
    _ = try sink.tick(at: now)
    #expect(said.all.last == "fake: connect: no route; it is tried again until it works, next in 30 s")
  }

  @Test func aConsumerWorksOnceItHasTakenSomethingAndStayed() throws {
    let sink = sink()
    let offer = try Offer()
    link.onBegin = .ended(LinkEnd(reason: "gone"))
    _ = try sink.tick(at: .test)
    link.onBegin = .open(7)
    let start = Moment.test.later(seconds: 1)
    offer.add(["one"])
    try offer.offer(to: sink, at: start)
    #expect(link.text == "one\n")
    _ = try sink.tick(at: start.later(seconds: 0.1))
    #expect(said.all.count == 1)
    #expect(try sink.tick(at: start.later(seconds: 4)) == 6_000_000_000)
    _ = try sink.tick(at: start.later(seconds: 10))
    #expect(said.all.last == "fake: works again after 11 s")
    // The next failure is a new one, with the shortest pause.
    link.end("gone")
    #expect(try sink.tick(at: start.later(seconds: 12)) == 100_000_000)
    #expect(said.all.count == 3)
  }

  @Test func aConsumerThatStayedButTookNothingHasNotWorked() throws {
    let sink = sink()
    _ = try sink.tick(at: .test)
    link.end("gone")
    #expect(try sink.tick(at: .test.later(seconds: 60)) == 100_000_000)
    _ = try sink.tick(at: .test.later(seconds: 61))
    link.end("gone")
    #expect(try sink.tick(at: .test.later(seconds: 120)) == 200_000_000)
    #expect(said.all.count == 1)
  }

  @Test func whoeverWaitsForAConsumerIsToldWhenOneComes() throws {
    let sink = sink()
    let offer = try Offer()
    link.onBegin = .absent
    offer.add(["one"])
    try offer.offer(to: sink, at: .test)
    #expect(try offer.offer(to: sink, at: .test)?.obstacle == .absent)
    link.onBegin = .open(7)
    // The consumer comes while the thread is held up, for longer than the pause.
    let now = Moment.test.later(seconds: 1)
    #expect(try sink.tick(at: now) == 0, "the entries that wait can be sent at once")
    #expect(try sink.tick(at: now) != 0, "and that is said once")
    try offer.offer(to: sink, at: now)
    #expect(link.text == "one\n")
  }

  @Test func whoeverWaitsForTheEndIsToldWhenItHasCome() throws {
    let sink = sink()
    let offer = try Offer()
    offer.add(["one"])
    try offer.offer(to: sink, at: .test)
    #expect(try sink.close(at: .test) == .absent)
    // The consumer ends while the thread is held up between the two calls.
    link.end("done")
    #expect(try sink.tick(at: .test) == 0)
    #expect(try sink.close(at: .test) == nil)
  }

  @Test func whatWasNotTakenGoesToTheNext() throws {
    let sink = sink()
    let offer = try Offer()
    offer.add(["one", "two", "three"])
    try offer.offer(to: sink, at: .test)
    #expect(sink.unsettled.entries == 3)
    link.end("ended with status 1", unread: 7)
    _ = try sink.tick(at: .test)
    #expect(sink.unsettled == Tally(entries: 2, bytes: 10), "the second was taken but for one byte")
    #expect(
      said.all == [
        "fake: ended with status 1, 2 lines are sent again; it is tried again until it works, next in 0.1 s"
      ])
    offer.add(["four"])
    #expect(try offer.offer(to: sink, at: .test) == SinkProgress(byteCount: 0, obstacle: .absent))
    try offer.offer(to: sink, at: .test.later(seconds: 0.1))
    #expect(link.text == "two\nthree\nfour\n")
    _ = try sink.tick(at: .test.later(seconds: 0.2))
    #expect(sink.unsettled == .zero)
    #expect(sink.givenUp.isEmpty)
  }

  @Test func whatWasNotTakenIsGivenUpIfSoWished() throws {
    let sink = sink { $0.onRestart = .drop }
    let offer = try Offer()
    link.room = 10
    offer.add(["one", "two", "three", "four"])
    let progress = try offer.offer(to: sink, at: .test)
    #expect(progress == SinkProgress(byteCount: 14, obstacle: .unwritable(7)), "the third is cut short")
    link.end("ended with status 1", unread: 3)
    _ = try sink.tick(at: .test)
    #expect(sink.tally(givenUp: .consumerGone) == Tally(entries: 2, bytes: 10))
    #expect(sink.unsettled == .zero)
    #expect(said.all.first?.contains("2 lines are dropped;") == true)
    link.room = .max
    try offer.offer(to: sink, at: .test.later(seconds: 0.1))
    #expect(link.text == "four\n", "what was never sent is not dropped")
  }

  @Test func everyConsumerGetsTheHeaderFirst() throws {
    let sink = sink { $0.content = .lines(header: Array("# fields\n".utf8)) }
    let offer = try Offer()
    link.room = 4
    offer.add(["one"])
    #expect(try offer.offer(to: sink, at: .test) == SinkProgress(byteCount: 0, obstacle: .unwritable(7)))
    link.room = .max
    try offer.offer(to: sink, at: .test)
    #expect(link.text == "# fields\none\n")
    link.end("gone", unread: 6)
    _ = try sink.tick(at: .test)
    #expect(sink.unsettled == Tally(entries: 1, bytes: 4), "the header is no entry")
    _ = try sink.tick(at: .test.later(seconds: 1))
    #expect(link.text == "# fields\none\n")
    #expect(said.all.first?.contains(", 1 line is sent again;") == true)
  }

  @Test func piecesEndWithEntries() throws {
    let sink = sink()
    let offer = try Offer()
    link.pieces = 9
    offer.add(["one", "two", "three", "a line that is longer"])
    var texts: [String] = []
    while try offer.offer(to: sink, at: .test) != nil {
      texts.append(link.text)
      link.received = []
    }
    #expect(texts == ["one\ntwo\n", "three\n", "a line that is longer\n"])
  }

  @Test func aConsumerThatReadsNothingIsNotSentForEver() throws {
    let sink = sink()
    let offer = try Offer()
    offer.add((0..<400).map { _ in String(repeating: "x", count: 8191) })
    var progress: SinkProgress?
    repeat {
      link.unread = link.received.count
      progress = try offer.offer(to: sink, at: .test)
    } while progress?.byteCount != 0
    #expect(progress?.obstacle == .absent)
    #expect(sink.unsettled.bytes == SendWindow.byteCountUsual)
    // The sink looks at the consumer again by itself, and continues when the consumer has read something.
    let wait = try #require(try sink.tick(at: .test))
    #expect((1...1_000_000_000).contains(wait))
    link.unread = 0
    let later = Moment.test.later(seconds: 1)
    #expect(try offer.offer(to: sink, at: later)?.byteCount != 0)
  }

  @Test func whoeverComesBackEarlyHasAReason() throws {
    let sink = sink()
    let offer = try Offer()
    offer.add(["one"])
    link.onBegin = .ended(LinkEnd(reason: "gone"))
    #expect(try offer.offer(to: sink, at: .test)?.obstacle == .absent)
    link.onBegin = .open(7)
    // For example at the end of the entries: the sink must not wait for half a minute, which may exceed the
    // time left.
    try offer.offer(to: sink, at: .test.later(seconds: 0.01))
    #expect(link.text == "one\n")
  }

  @Test func closingWaitsUntilAllIsTakenAndTheConsumerHasEnded() throws {
    let sink = sink()
    let offer = try Offer()
    offer.add(["one", "two"])
    try offer.offer(to: sink, at: .test)
    link.unread = 4
    #expect(try sink.close(at: .test) == .absent)
    #expect(!link.isFinished)
    #expect(sink.unsettled.entries == 1)
    link.unread = 0
    #expect(try sink.close(at: .test) == .absent)
    #expect(link.isFinished)
    #expect(sink.unsettled == .zero)
    link.end("ended with status 0")
    _ = try sink.tick(at: .test)
    #expect(try sink.close(at: .test) == nil)
    #expect(said.all.isEmpty)
  }

  @Test func aConsumerThatGoesWhileAllWaitForItsEndIsReplaced() throws {
    let sink = sink()
    let offer = try Offer()
    offer.add(["one", "two"])
    try offer.offer(to: sink, at: .test)
    link.unread = 4
    #expect(try sink.close(at: .test) == .absent)
    link.end("ended with status 0", unread: 4)
    _ = try sink.tick(at: .test)
    #expect(try sink.close(at: .test) == .absent)
    _ = try sink.tick(at: .test.later(seconds: 0.1))
    #expect(link.text == "two\n")
    #expect(try sink.close(at: .test.later(seconds: 0.1)) == .absent)
    link.end("ended with status 0")
    _ = try sink.tick(at: .test.later(seconds: 0.2))
    #expect(try sink.close(at: .test.later(seconds: 0.2)) == nil)
  }

  @Test func aConsumerThatSaysItHasFailedIsAnErrorAtTheEnd() throws {
    let sink = sink()
    _ = try sink.tick(at: .test)
    #expect(try sink.close(at: .test) == .absent)
    link.end("ended with status 3", isFailure: true)
    let error = #expect(throws: SystemError.self) { try sink.close(at: .test) }
    #expect(error?.description == "fake: close: ended with status 3")
    #expect(error?.isFinal == true)
  }

  @Test func nobodyIsWaitedForIfThereIsNothingToDeliver() throws {
    let sink = sink()
    link.onBegin = .absent
    _ = try sink.tick(at: .test)
    #expect(try sink.close(at: .test) == nil)
    #expect(said.all.isEmpty, "absence is no failure")
  }

  @Test func aRotationByOthersGetsANewConsumer() throws {
    let sink = sink()
    let offer = try Offer()
    offer.add(["one"])
    try offer.offer(to: sink, at: .test)
    link.unread = 4
    try sink.reopen(at: .test)
    offer.add(["two"])
    #expect(try offer.offer(to: sink, at: .test) == SinkProgress(byteCount: 0, obstacle: .absent))
    #expect(!link.isFinished, "it has not taken everything")
    link.unread = 0
    _ = try sink.tick(at: .test)
    #expect(link.isFinished)
    link.end("ended with status 0")
    try offer.offer(to: sink, at: .test)
    #expect(link.beginnings == 2)
    #expect(link.text == "two\n")
    #expect(said.all.isEmpty)
  }
}
