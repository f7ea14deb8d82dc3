import Glibc
import ShmLog
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
    let ring = try instance.startWorker(layout, eighthWords: 512)
    var reader = try RingReader(instance.path, start: .tail)
    // A record of "/12345" takes the header and two words.
    let recordBytes = (layout.headerWords + 2) * 4
    let overheadMax = 64
    for round in 1...4 {
      var written = 0
      for number in 0..<(700 * round) {
        ring.append(SampleRecord(9, .client, "ReqURL", "/\(10_000 + number)"))
        written += recordBytes
      }
      let take = try reader.take()
      let read = take.texts.count * recordBytes
      #expect(take.texts.last == "/\(10_000 + 700 * round - 1)", "what is left is read to its end")
      let lost = take.lostBytes.reduce(0, +)
      if written > 8 * 512 * 4 {
        #expect(take.lostBytes.count == 1)
      }
      // The end of a turn may be left unused; nothing else may be out.
      let turns = written / (8 * 512 * 4) + 1
      #expect(lost == 0 || abs(lost + read - written) <= turns * overheadMax, "round \(round)")
      #expect(lost > 0 || read == written, "round \(round)")
    }
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
    // It reads as a ring without records.
    #expect(take.damages.count == 1)
    #expect(take.texts.count <= 90)
    #expect(try reader.take().texts.isEmpty)
  }

  private static let headBytes = 88

  /// Changes a word of the ring behind everybody's back.
  private static func patch(_ ring: RingWriter, word: Int, _ value: UInt32) throws {
    let descriptor = open(ring.path, O_WRONLY | O_CLOEXEC)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    var value = value
    try #require(pwrite(descriptor, &value, 4, off_t(headBytes + word * 4)) == 4)
  }
}
