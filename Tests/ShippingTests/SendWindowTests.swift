@testable import Shipping
@testable import Spool
import Testing

@Suite struct SendWindowTests {
  /// Has a window take lines as a sink would, and returns how many it took.
  private func append(_ lines: [String], to window: inout SendWindow) throws -> Int {
    let spool = try Spool()
    var writer = spool.makeWriter()
    for line in lines { writer.append(line) }
    writer.publish()
    var reader = spool.makeReader()
    guard let batch = try reader.next() else { return 0 }
    let part = window.fitting(batch)
    window.append(part)
    return part.count
  }

  private func unsent(_ window: borrowing SendWindow, _ limit: Int = .max) -> String {
    String(decoding: window.unsent(byteCountMax: limit), as: UTF8.self)
  }

  @Test func whatWasNotTakenWholeIsSentAgainWhole() throws {
    var window = SendWindow()
    #expect(try append(["one", "two", "three"], to: &window) == 3)
    #expect(unsent(window) == "one\ntwo\nthree\n")
    window.markSent(9)
    #expect(unsent(window) == "hree\n")
    window.confirm(unreadByteCount: 3)
    #expect(window.contents == Tally(entries: 2, bytes: 10), "the second is read but for its last bytes")
    window.rewind()
    #expect(unsent(window) == "two\nthree\n")
    #expect(window.sentByteCount == 0)
    window.markSent(10)
    window.confirm(unreadByteCount: 0)
    #expect(window.contents.entries == 0)
    #expect(window.contents == .zero)
  }

  @Test func piecesAreWholeEntriesOrTheRestOfOne() throws {
    var window = SendWindow()
    _ = try append(["one", "two", "three"], to: &window)
    #expect(unsent(window, 9) == "one\ntwo\n")
    #expect(unsent(window, 8) == "one\ntwo\n")
    #expect(unsent(window, 7) == "one\n")
    #expect(unsent(window, 1) == "one\n", "an entry that is too large goes by itself")
    window.markSent(5)
    #expect(unsent(window, 4) == "wo\n")
    #expect(unsent(window, 9) == "wo\nthree\n")
  }

  @Test func whatIsDroppedIsCounted() throws {
    var window = SendWindow()
    _ = try append(["one", "two"], to: &window)
    window.markSent(5)
    window.confirm(unreadByteCount: 0)
    let second = SpoolPlace(sequence: 1, read: Tally(entries: 1, bytes: 4))
    #expect(window.start == second)
    let dropped = window.drop()
    #expect(dropped == [EntryStretch(Tally(entries: 1, bytes: 4), from: second)])
    #expect(window.contents == .zero)
  }

  @Test func roomIsBoundedButAnyEntryFitsAnEmptyWindow() throws {
    var window = SendWindow(byteCountMax: 10)
    #expect(try append(["1234", "6789", "b"], to: &window) == 2)
    #expect(try append(["c"], to: &window) == 0)
    window.markSent(5)
    window.confirm(unreadByteCount: 0)
    #expect(try append(["c", "d", "e"], to: &window) == 2)
    #expect(unsent(window) == "6789\nc\nd\n")
    _ = window.drop()
    let long = String(repeating: "x", count: 5000)
    #expect(try append([long, "next"], to: &window) == 1)
    #expect(unsent(window) == long + "\n")
    window.markSent(5001)
    window.confirm(unreadByteCount: 0)
    #expect(try append(["1234", "6789", "b"], to: &window) == 2, "the room of one large entry goes with it")
  }

  @Test func whatIsTooLargeLeavesAGapAndTheRestKeepsItsPlace() throws {
    var window = SendWindow()
    window.form = .bare
    #expect(try append(["one", "two", "three", "four"], to: &window) == 4)
    window.markSent(6)
    let third = EntryStretch(
      Tally(entries: 1, bytes: 6), from: SpoolPlace(sequence: 2, read: Tally(entries: 2, bytes: 8)))
    let dropped = window.dropNext()
    #expect(dropped == third)
    #expect(window.start == SpoolPlace(sequence: 0))
    #expect(window.contents == Tally(entries: 3, bytes: 13))
    window.markSent(4)
    let fourth = SpoolPlace(sequence: 3, read: Tally(entries: 3, bytes: 14))
    let confirmed = window.confirm(unreadByteCount: 0)
    #expect(
      confirmed == [
        EntryStretch(Tally(entries: 2, bytes: 8), from: SpoolPlace(sequence: 0)),
        EntryStretch(Tally(entries: 1, bytes: 5), from: fourth),
      ])
    #expect(window.start == nil)
  }

  /// Compares the window with a list of lines, through random operations.
  @Test(arguments: 0..<40 as Range<UInt64>)
  func itDoesWhatAListOfLinesDoes(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let limit = Int.random(in: 20...400, using: &random)
    var window = SendWindow(byteCountMax: limit)
    var model: [[UInt8]] = []
    var sent = 0
    for step in 0..<400 {
      let context: Comment = "seed \(seed), step \(step)"
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<3:
        let lines = (0..<Int.random(in: 1...6, using: &random)).map { index in
          String(
            repeating: "\(index)",
            count: Int.random(in: 0...(seed.isMultiple(of: 3) ? 90 : 12), using: &random))
        }
        let count = try append(lines, to: &window)
        let all = lines.map { Array(($0 + "\n").utf8) }
        var room = limit - model.joined().count
        let fitting = all.prefix { bytes in
          room -= bytes.count
          return room >= 0
        }
        #expect(count == (model.isEmpty ? max(1, fitting.count) : fitting.count), context)
        model += all.prefix(count)
      case 3..<7:
        let piece = window.unsent(byteCountMax: Int.random(in: 1...100, using: &random)).count
        let count = Int.random(in: 0...piece, using: &random)
        window.markSent(count)
        sent += count
      case 7, 8:
        let unread = Int.random(in: 0...sent, using: &random)
        let confirmed = window.confirm(unreadByteCount: unread).tally
        var taken = sent - unread
        var expected = Tally.zero
        while let first = model.first, first.count <= taken {
          taken -= first.count
          sent -= first.count
          expected += Tally(entries: 1, bytes: first.count)
          model.removeFirst()
        }
        #expect(confirmed == expected, context)
      default:
        if Bool.random(using: &random) {
          window.rewind()
        } else {
          let dropped = window.drop().tally
          #expect(dropped == Tally(entries: model.count, bytes: model.joined().count), context)
          model = []
        }
        sent = 0
      }
      let bytes = Array(model.joined())
      #expect(window.contents == Tally(entries: model.count, bytes: bytes.count), context)
      #expect(Array(window.unsent(byteCountMax: .max)) == Array(bytes.dropFirst(sent)), context)
      #expect(window.sentByteCount == sent, context)
      #expect(window.isSent == (sent == bytes.count), context)
    }
  }
}
