import LogReading
import Glibc
import TestSupport
import Testing

/// The ring of a live log, written by a played worker.
struct RingTests {
  @Test(arguments: SampleLayout.allCases)
  func `everything is read, in order, through many turns`(layout: SampleLayout) throws {
    let instance = try SampleWorkdir()
    let ring = try instance.startWorker(layout, eighthWords: 512)
    var reader = try RingReader(instance.path, start: .tail)
    var random = SeededGenerator(seed: 3)
    var number = 0
    while ring.turns < 20 {
      var expected: [String] = []
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        let text = "/\(number)/" + String(repeating: "x", count: Int.random(in: 0..<120, using: &random))
        number += 1
        expected.append(text)
        let record = SampleRecord(UInt64(number), .client, "ReqURL", text)
        if Bool.random(using: &random) {
          ring.append(record)
        } else {
          ring.append(batch: [record, SampleRecord(UInt64(number), .client, "End")])
        }
      }
      let take = try reader.take()
      try #require(take.texts == expected, "\(random)")
      try #require(take.lostBytes.isEmpty && take.damages.isEmpty && !take.ended, "\(random)")
    }
  }

  @Test(arguments: SampleLayout.allCases)
  func `how far a reader is behind is what it then reads, through many turns`(layout: SampleLayout) throws {
    let instance = try SampleWorkdir()
    let ring = try instance.startWorker(layout, eighthWords: 512)
    var reader = try RingReader(instance.path, start: .tail)
    var random = SeededGenerator(seed: 4)
    while ring.turns < 20 {
      for _ in 0..<Int.random(in: 1...60, using: &random) {
        let text = String(repeating: "x", count: Int.random(in: 0..<120, using: &random))
        ring.append(batch: [
          SampleRecord(7, .client, "ReqURL", text), SampleRecord(7, .client, "End"),
        ])
      }
      let before = try reader.place()
      #expect(before.lag > 0)
      let take = try reader.take()
      try #require(take.lostBytes.isEmpty, "\(random)")
      let after = try reader.place()
      // The writer's segment number overflows on the way, and with it the scale of offsets.
      let expected = (before.offset + before.lag) % (2048 << 32)
      try #require(after.lag == 0 && after.offset == expected, "\(before) \(after)")
    }
  }

  @Test func `records of nobody are passed over`() throws {
    let instance = try SampleWorkdir()
    let ring = try instance.startWorker(eighthWords: 512)
    var reader = try RingReader(instance.path, start: .tail)
    ring.append(SampleRecord(0, .none, "CLI", "Rd ping"))
    ring.append(SampleRecord(7, .client, "ReqURL", "/x"))
    #expect(try reader.take().texts == ["/x"])
  }

  @Test func `a tail starts behind what is there, a head with it`() throws {
    let instance = try SampleWorkdir()
    let ring = try instance.startWorker(eighthWords: 512)
    ring.append(SampleRecord(7, .client, "ReqURL", "/old"))
    var tail = try RingReader(instance.path, start: .tail)
    var head = try RingReader(instance.path, start: .head)
    ring.append(SampleRecord(8, .client, "ReqURL", "/new"))
    #expect(try tail.take().texts == ["/new"])
    #expect(try head.take().texts == ["/old", "/new"])
  }

  @Test func `the head of a log that has turned is five eighths back at most`() throws {
    let instance = try SampleWorkdir()
    let ring = try instance.startWorker(eighthWords: 512)
    for number in 0..<2000 {
      ring.append(SampleRecord(UInt64(number + 2), .client, "ReqURL", "/\(number)"))
    }
    #expect(ring.turns > 0)
    var reader = try RingReader(instance.path, start: .head, stopsAtTail: true)
    let take = try reader.take()
    #expect(take.ended)
    #expect(take.lostBytes.isEmpty)
    let numbers = take.texts.compactMap { Int($0.dropFirst()) }
    let first = try #require(numbers.first)
    #expect(numbers == Array(first..<2000))
    // A record here takes four words: two of header, and "/1234" with its NUL.
    #expect((5 * 512 / 4...6 * 512 / 4).contains(numbers.count))
  }

  @Test func `a record that is still being written holds up those behind it`() throws {
    let instance = try SampleWorkdir()
    let ring = try instance.startWorker(eighthWords: 512)
    var reader = try RingReader(instance.path, start: .tail)
    let slow = ring.reserve([SampleRecord(7, .client, "ReqURL", "/slow")])
    ring.append(SampleRecord(8, .client, "ReqURL", "/quick"))
    #expect(try reader.take().texts.isEmpty)
    ring.commit(slow)
    #expect(try reader.take().texts == ["/slow", "/quick"])
  }

  @Test(arguments: SampleLayout.allCases)
  func `what was overwritten is counted to the byte`(layout: SampleLayout) throws {
    let instance = try SampleWorkdir()
    let eighthWords = 512
    let ring = try instance.startWorker(layout, eighthWords: eighthWords)
    var reader = try RingReader(instance.path, start: .tail)
    var overrunCount = 0
    // The reader's place, in words since the log was made; the unused rest at the end of a turn counts.
    var readerPlace = 0
    for round in 1...4 {
      var places: [Int] = []
      for number in 0..<(700 * round) {
        let record = ring.reserve([SampleRecord(9, .client, "ReqURL", "/\(10_000 + number)")], batched: false)
        // The header, and two words for "/12345" with its NUL.
        let start = ring.writePosition - (layout.headerWords + 2)
        places.append(ring.turns * 8 * eighthWords + start)
        ring.commit(record)
      }
      let take = try reader.take()
      let first = try #require(take.texts.first.flatMap { Int($0.dropFirst()) }) - 10_000
      #expect(
        take.texts == (first..<700 * round).map { "/\(10_000 + $0)" }, "what is left is read to its end")
      if first == 0 {
        #expect(take.lostBytes.isEmpty, "round \(round)")
      } else {
        #expect(take.lostBytes == [(places[first] - readerPlace) * 4], "round \(round)")
        overrunCount += 1
      }
      readerPlace = ring.turns * 8 * eighthWords + ring.writePosition
    }
    #expect(overrunCount > 1)
  }

  @Test func `damage is reported once with its place, and the next eighth is read`() throws {
    let instance = try SampleWorkdir()
    let ring = try instance.startWorker(eighthWords: 512)
    var reader = try RingReader(instance.path, start: .tail)
    ring.append(SampleRecord(7, .client, "ReqURL", "/before"))
    let place = RingTests.headBytes + ring.writePosition * 4
    ring.append(SampleRecord(8, .client, tag: 0, bytes: Array("zero".utf8)))
    var numbers: [Int] = []
    for number in 100..<300 {
      ring.append(SampleRecord(9, .client, "ReqURL", "/\(number)"))
      numbers.append(number)
    }
    let first = try reader.take()
    #expect(first.texts == ["/before"])
    #expect(first.damages.count == 1)
    let damage = try #require(first.damages.first)
    #expect(damage.contains("byte offset \(place): a record of tag 0"))
    #expect(damage.contains("_.vsm_child/_.Log."))
    let second = try reader.take()
    #expect(second.damages.isEmpty)
    let read = second.texts.compactMap { Int($0.dropFirst()) }
    #expect(read.count > 50)
    #expect(read == Array(numbers.suffix(read.count)))
  }

  @Test func `a record that reaches past the end of the ring is damage`() throws {
    let instance = try SampleWorkdir()
    let ring = try instance.startWorker(eighthWords: 64)
    var reader = try RingReader(instance.path, start: .tail)
    let place = ring.writePosition
    ring.append(SampleRecord(7, .client, "ReqURL", "/x"))
    try Self.patch(ring, word: place, UInt32(16) << 24 | 0xFFFF)
    let take = try reader.take()
    #expect(take.texts.isEmpty)
    #expect(take.damages.first?.contains("claims 65544 bytes, but the ring has only") == true)
  }

  @Test(arguments: SampleLayout.allCases)
  func `a reader ahead of what the server says waits there`(layout: SampleLayout) throws {
    let instance = try SampleWorkdir()
    let ring = try instance.startWorker(layout, eighthWords: 64)
    let begun = ring.segmentNumber
    var texts: [String] = []
    for number in 100..<120 {
      texts.append("/\(number)")
      ring.append(SampleRecord(9, .client, "ReqURL", texts[texts.count - 1]))
    }
    #expect(ring.segmentNumber == begun + 1)
    try Self.announce(ring, begun)
    // The reader begins with the announced eighth, and finds records in the next.
    var reader = try RingReader(instance.path, start: .head)
    let early = try reader.take(runsMax: Self.runsMax)
    #expect(!early.texts.isEmpty)
    #expect(early.texts == Array(texts.prefix(early.texts.count)))
    #expect(early.texts.count < texts.count)
    #expect(early.damages.count == 1)
    #expect(early.damages.first?.contains("the records reach past where the server writes") == true)
    let waiting = try reader.take(runsMax: Self.runsMax)
    #expect(waiting.texts.isEmpty && waiting.damages.isEmpty)
    // Once the server announces that eighth, reading resumes there, so that nothing is read twice.
    try Self.announce(ring, begun + 1)
    let late = try reader.take(runsMax: Self.runsMax)
    #expect(!late.texts.isEmpty && late.damages.isEmpty)
    #expect(late.texts == Array(texts.suffix(late.texts.count)))
    #expect(early.texts.count + late.texts.count <= texts.count)
  }

  @Test func `a wrap mark where no turn ends doesn't lead round the ring`() throws {
    let instance = try SampleWorkdir()
    let ring = try instance.startWorker(eighthWords: 64)
    let begun = ring.segmentNumber
    let texts = ["/1", "/2", "/3"]
    for text in texts { ring.append(SampleRecord(9, .client, "ReqURL", text)) }
    // A wrap mark behind the records, in the first eighth, while the server announces that eighth or a later
    // one.
    try Self.patch(ring, word: ring.writePosition, Self.wrapMark)
    for segment in [begun, begun + 5] {
      try Self.announce(ring, segment)
      var reader = try RingReader(instance.path, start: .head)
      let take = try reader.take(runsMax: Self.runsMax)
      #expect(take.texts == texts)
      #expect(take.damages.count == 1)
      #expect(try reader.take(runsMax: Self.runsMax).texts.isEmpty)
    }
  }

  @Test func `a ring without an end mark is read once`() throws {
    let instance = try SampleWorkdir()
    let ring = try instance.startWorker(eighthWords: 64)
    var texts: [String] = []
    while ring.segmentNumber % 8 < 7 || ring.writePosition < 8 * 64 - 8 {
      texts.append("/\(1000 + texts.count)")
      ring.append(SampleRecord(9, .client, "ReqURL", texts[texts.count - 1]))
    }
    var reader = try RingReader(instance.path, start: .tail)
    var head = try RingReader(instance.path, start: .head)
    // In place of the end mark, a wrap mark leads to the beginning, where there are records.
    try Self.patch(ring, word: ring.writePosition, Self.wrapMark)
    let take = try reader.take(runsMax: Self.runsMax)
    #expect(take.texts.isEmpty && take.damages.count == 1)
    let all = try head.take(runsMax: Self.runsMax)
    #expect(all.texts.count > 64)
    #expect(all.texts == Array(texts.suffix(all.texts.count)))
    #expect(all.damages.count == 1)
    #expect(try head.take(runsMax: Self.runsMax).texts.isEmpty)
  }

  @Test func `a log that is cut short under the reader does not kill it`() throws {
    let instance = try SampleWorkdir()
    let ring = try instance.startWorker(eighthWords: 4096)
    for number in 0..<100 {
      ring.append(SampleRecord(UInt64(number + 2), .client, "ReqURL", "/\(number)"))
    }
    var reader = try RingReader(instance.path, start: .head)
    #expect(try reader.take(runsMax: 10).texts.count == 10)
    try #require(truncate(ring.path, 0) == 0)
    let take = try reader.take()
    // The result is that of a ring without records.
    #expect(take.damages.count == 1)
    #expect(take.texts.count <= 90)
    #expect(try reader.take().texts.isEmpty)
  }

  private static let headBytes = 88
  private static let wrapMark: UInt32 = 0xFE57_5757
  /// More runs than the small rings can hold: this stops a reader that goes round and round.
  private static let runsMax = 1000

  /// Changes the segment number that the server announces.
  private static func announce(_ ring: RingWriter, _ segment: UInt32) throws {
    // The number lies in front of the ring.
    try patch(ring, word: (16 - headBytes) / 4, segment)
  }

  /// Changes a word of the ring without the writer's or the reader's knowledge.
  private static func patch(_ ring: RingWriter, word: Int, _ value: UInt32) throws {
    let descriptor = open(ring.path, O_WRONLY | O_CLOEXEC)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    var value = value
    try #require(pwrite(descriptor, &value, 4, off_t(headBytes + word * 4)) == 4)
  }
}
