@testable import Shipping
@testable import Spool
import Testing

/// The bytes that are sent for an entry, by the framing with which receivers tell entries apart.
@Suite struct FramingTests {
  private static let said: [(Framing, String, String)] = [
    (.newline, "GET /\n", "GET /\n"),
    (.octetCount, "GET /\n", "5 GET /"),
    (.octetCount, "127.0.0.1 - -\n", "13 127.0.0.1 - -"),
    // Lengths are in bytes, not in characters.
    (.octetCount, "größe\n", "7 größe"),
    (.octetCount, "🐢\n", "4 🐢"),
    (.octetCount, String(repeating: "x", count: 9) + "\n", "9 " + String(repeating: "x", count: 9)),
    (.octetCount, String(repeating: "x", count: 10) + "\n", "10 " + String(repeating: "x", count: 10)),
    (.octetCount, String(repeating: "x", count: 1000) + "\n", "1000 " + String(repeating: "x", count: 1000)),
    // Only the last newline of an entry with several lines is removed.
    (.octetCount, "*   << Request  >> 2\n-   End\n\n", "29 *   << Request  >> 2\n-   End\n"),
    // The grammar doesn't allow a length of 0.
    (.octetCount, "\n", ""),
    (.null, "{\"a\":1}\n", "{\"a\":1}\0"),
    (.null, "\n", "\0"),
  ]

  @Test(arguments: said)
  func anEntryIsSentAsItsReceiverReadsIt(framing: Framing, entry: String, sent: String) {
    let form = framing.form
    let bytes = Array(entry.utf8)
    bytes.withUnsafeBytes { bytes in
      #expect(form.byteCount(ofEntry: bytes) == sent.utf8.count)
      var room = [UInt8](repeating: 0xaa, count: sent.utf8.count + 1)
      let count = room.withUnsafeMutableBytes { form.put(bytes, to: $0) }
      #expect(String(decoding: room[..<count], as: UTF8.self) == sent)
      #expect(room.last == 0xaa, "nothing beyond")
      room[..<count].withUnsafeBytes { sent in
        #expect(form.entryByteCount(in: sent) == bytes.count)
        #expect(form.entry(in: sent) == Array(bytes))
      }
    }
  }

  @Test func linesOfAHeaderAreEntriesOfTheirOwn() {
    let header = Array("#Version: 1.0\n#Fields: a b\n".utf8)
    func pieces(_ form: EntryForm) -> [String] {
      form.pieces(ofLines: header).map { String(decoding: $0, as: UTF8.self) }
    }
    #expect(pieces(.line) == ["#Version: 1.0\n#Fields: a b\n"])
    #expect(pieces(.counted) == ["13 #Version: 1.012 #Fields: a b"])
    #expect(pieces(.nulTerminated) == ["#Version: 1.0\0#Fields: a b\0"])
    #expect(pieces(.bare) == ["#Version: 1.0", "#Fields: a b"])
    #expect(EntryForm.counted.pieces(ofLines: []).isEmpty)
  }

  // MARK: Through a sink

  private let link = FakeLink()
  private let said = Collected<String>()

  private func sink(_ form: EntryForm, header: String = "") -> LinkSink {
    link.form = form
    var options = LinkOptions()
    options.content = .lines(header: Array(header.utf8))
    return LinkSink(link, options) { [said] in said.append($0) }
  }

  @Test func aCutEntryIsSentAgainFromItsCount() throws {
    let sink = sink(.counted)
    let offer = try Offer()
    link.room = 8
    offer.add(["one", "größe", "three"])
    let progress = try offer.offer(to: sink, at: .test)
    #expect(progress == SinkProgress(byteCount: 18, obstacle: .unwritable(7)), "all of it is the sink's")
    #expect(link.text == "3 one7 g")
    #expect(sink.unsettled == Tally(entries: 2, bytes: 14), "the first is taken already")
    link.end("connection lost", unread: 3)
    _ = try sink.tick(at: .test)
    #expect(sink.unsettled == Tally(entries: 2, bytes: 14), "as they are in the spool")
    let left = EntryList(bytes: Array("größe\nthree\n".utf8), ends: [8, 14])
    #expect(sink.unsettledEntries == [EntryRun(firstSequence: 1, entries: left)])
    link.room = .max
    _ = try sink.tick(at: .test.later(seconds: 1))
    #expect(link.text == "7 größe5 three")
    _ = try sink.tick(at: .test.later(seconds: 2))
    #expect(sink.unsettled == .zero)
  }

  @Test func messagesAreSentOneByOneAndEmptyLinesNotAtAll() throws {
    let sink = sink(.bare, header: "# a\n# b\n")
    let offer = try Offer()
    link.pieces = 1
    offer.add(["one", "", "two", ""])
    try offer.offer(to: sink, at: .test)
    #expect(link.sent == ["# a", "# b", "one", "two"])
    _ = try sink.tick(at: .test.later(seconds: 1))
    #expect(sink.unsettled == .zero)
    #expect(sink.givenUp.isEmpty)
  }

  @Test func whatIsTooLargeForAMessageIsDroppedAndSaidOnce() throws {
    let sink = sink(.bare)
    let offer = try Offer()
    link.pieces = 1
    link.messageMax = 5
    offer.add(["one", "longer than five", "two", "also too long", "three"])
    try offer.offer(to: sink, at: .test)
    #expect(link.sent == ["one", "two", "three"])
    #expect(sink.tally(givenUp: .tooLarge) == Tally(entries: 2, bytes: 17 + 14))
    _ = try sink.tick(at: .test.later(seconds: 1))
    #expect(sink.unsettled == .zero)
    #expect(said.all == ["fake: 17 bytes are too long for a message; such lines are dropped"])
  }

  @Test func aWindowThatIsFullTakesNoMoreUntilThereIsRoom() throws {
    let sink = sink(.counted)
    let offer = try Offer()
    let line = String(repeating: "x", count: 999)
    offer.add(Array(repeating: line, count: 2000))
    link.room = 500_000
    var taken = 0
    for turn in 0..<40 {
      taken += try offer.offer(to: sink, at: .test.later(seconds: Double(turn)))?.byteCount ?? 0
      #expect(sink.unsettled.bytes <= SendWindow.byteCountUsual)
      if turn == 20 { link.room = .max }
    }
    #expect(taken == 2_000_000)
    #expect(link.received.count == 2000 * (999 + 4))
  }
}
