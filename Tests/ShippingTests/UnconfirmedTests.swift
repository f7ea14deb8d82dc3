@testable import Shipping
@testable import Spool
import Testing

/// Entries that a consumer's kernel has accepted and the consumer may never have read.
@Suite struct UnconfirmedTests {
  private let link = FakeLink()
  private let said = Collected<String>()

  private func sink(_ onRestart: RestartPolicy = .resend) -> LinkSink {
    var options = LinkOptions()
    options.onRestart = onRestart
    return LinkSink(link, options) { [said] in said.append($0) }
  }

  @Test func whatWasTakenBeforeAResetIsUnconfirmedAndTheRestSentAgain() throws {
    let sink = sink()
    let offer = try Offer()
    link.doubtfulByteCountMax = 1 << 20
    offer.add(["one", "two", "three"])
    try offer.offer(to: sink, at: .test)
    _ = try sink.tick(at: .test.later(seconds: 1))
    offer.add(["four", "five"])
    try offer.offer(to: sink, at: .test.later(seconds: 2))
    link.end("connection lost: Connection reset by peer", isAbrupt: true, unread: 7)
    _ = try sink.tick(at: .test.later(seconds: 2))
    #expect(sink.tally(givenUp: .unconfirmed) == Tally(entries: 3, bytes: 14))
    #expect(sink.unsettled == Tally(entries: 2, bytes: 10))
    #expect(
      said.all == [
        "fake: connection lost: Connection reset by peer, 2 lines are sent again, 3 lines are unconfirmed; "
          + "it is tried again until it works, next in 0.1 s"
      ])
    _ = try sink.tick(at: .test.later(seconds: 3))
    #expect(link.text == "four\nfive\n")
    link.end("connection lost: Connection reset by peer", isAbrupt: true, unread: 0)
    _ = try sink.tick(at: .test.later(seconds: 4))
    #expect(sink.tally(givenUp: .unconfirmed) == Tally(entries: 5, bytes: 24), "each counts once")
    #expect(sink.unsettled == .zero)
  }

  @Test func whatMustNotArriveTwiceIsDroppedApartFromThat() throws {
    let sink = sink(.drop)
    let offer = try Offer()
    link.doubtfulByteCountMax = 1 << 20
    offer.add(["one", "two", "three"])
    try offer.offer(to: sink, at: .test)
    link.end("connection lost", isAbrupt: true, unread: 7)
    _ = try sink.tick(at: .test)
    #expect(sink.tally(givenUp: .unconfirmed) == Tally(entries: 1, bytes: 4))
    #expect(sink.tally(givenUp: .consumerGone) == Tally(entries: 2, bytes: 10))
  }

  @Test func aConsumerThatHasClosedHasReadAll() throws {
    let sink = sink()
    let offer = try Offer()
    link.doubtfulByteCountMax = 1 << 20
    offer.add(["one", "two"])
    try offer.offer(to: sink, at: .test)
    _ = try sink.tick(at: .test.later(seconds: 1))
    link.end("the peer has closed the connection")
    _ = try sink.tick(at: .test.later(seconds: 2))
    // Entries accepted by one consumer don't count for the next.
    _ = try sink.tick(at: .test.later(seconds: 3))
    link.end("connection lost", isAbrupt: true)
    _ = try sink.tick(at: .test.later(seconds: 4))
    #expect(sink.tally(givenUp: .unconfirmed) == .zero)
  }

  @Test func aResetWhileItIsLetGoOfCountsToo() throws {
    let sink = sink()
    let offer = try Offer()
    link.doubtfulByteCountMax = 1 << 20
    offer.add(["one", "two"])
    try offer.offer(to: sink, at: .test)
    #expect(try sink.close(at: .test) == .absent)
    link.end("connection lost: Connection reset by peer", isAbrupt: true)
    #expect(try sink.close(at: .test) == nil)
    #expect(sink.tally(givenUp: .unconfirmed) == Tally(entries: 2, bytes: 8))
    #expect(said.all == ["fake: connection lost: Connection reset by peer, 2 lines are unconfirmed"])
  }

  @Test(arguments: [0, 1, 1000, 10_000, 1 << 20])
  func noMoreIsInDoubtThanTheConsumersSystemCanHold(limit: Int) {
    var tail = DoubtfulTail()
    tail.byteCountMax = limit
    var random = SeededGenerator(seed: UInt64(limit))
    var all: [Int] = []
    for _ in 0..<5000 {
      let bytes = Int.random(in: 1...300, using: &random)
      all.append(bytes)
      let start = SpoolPlace(sequence: all.count - 1)
      tail.add(EntryStretch(Tally(entries: 1, bytes: bytes), from: start))
    }
    // The smallest number of the last entries that have at least that many bytes.
    var (least, bytes) = (0, 0)
    while bytes < limit, least < all.count {
      least += 1
      bytes += all[all.count - least]
    }
    let portions = tail.removeAll()
    let doubt = portions.tally
    #expect(portions.last?.sequences.upperBound == (limit == 0 ? nil : all.count))
    #expect(portions.first?.sequences.lowerBound == (limit == 0 ? nil : all.count - doubt.entries))
    #expect(doubt.entries >= least)
    #expect(doubt.bytes <= limit + limit / 32 + 600, "hardly more than that")
    #expect(tail.removeAll().isEmpty)
  }
}
