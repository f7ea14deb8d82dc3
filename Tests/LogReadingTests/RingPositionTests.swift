import LogReading
import TestSupport
import Testing
import VarnishLog

/// Positions in a live log, and resuming at a position.
struct RingPositionTests {
  /// The usual first segment, and one with which the number overflows a turn later.
  static let firstSegments: [UInt32] = [RingWriter.firstSegment, 0xFFFF_FFF0]

  @Test(arguments: SampleLayout.allCases, firstSegments)
  func `places are the bytes that went by, and grow strictly`(
    layout: SampleLayout, firstSegment: UInt32
  ) throws {
    var random = SeededGenerator(seed: 21)
    var log = try SampleRing(layout, firstSegment: firstSegment)
    var reader = try RingReader(log.instance.path, start: .tail)
    var last: UInt64?
    while log.ring.turns < 3 {
      let before = log.written.count
      log.write(Int.random(in: 1...8, using: &random), &random)
      let take = try reader.take()
      try #require(take.lostBytes.isEmpty && take.damages.isEmpty)
      let expected = log.written[before...]
      try #require(take.texts == expected.map(\.text), "\(random)")
      try #require(take.places == expected.map(\.place), "\(random)")
      for place in take.places {
        if let last { try #require(place > last, "\(random)") }
        last = place
      }
      let next = try reader.nextPosition()
      try #require(next.place == log.nextPlace && next.place > last ?? 0, "\(random)")
    }
  }

  /// Resumes at any record that the ring still holds, whether the record begins a batch, lies in one, or
  /// stands alone.
  @Test(arguments: SampleLayout.allCases, firstSegments)
  func `a log that is opened at a record gives this and all behind it`(
    layout: SampleLayout, firstSegment: UInt32
  ) throws {
    var random = SeededGenerator(seed: 22)
    var log = try SampleRing(layout, firstSegment: firstSegment)
    for turn in 0..<3 {
      while log.ring.turns <= turn { log.write(5, &random) }
      log.write(Int.random(in: 0...100, using: &random), &random)
      // A reader without a position reads what is certainly whole. It only can't know how often the number
      // has overflowed.
      var head = try RingReader(log.instance.path, start: .head)
      let texts = try head.take().texts
      let held = log.written.suffix(texts.count)
      try #require(texts == held.map(\.text), "\(random)")
      for index in held.indices where Int.random(in: 0..<4, using: &random) == 0 {
        let record = log.written[index]
        var reader = try RingReader(log.instance.path, start: .at(log.position(record.place)))
        try #require(reader.resumption == .held, "at \(record), \(random)")
        let rest = try reader.take()
        try #require(rest.texts == held[index...].map(\.text), "at \(record), \(random)")
        try #require(rest.places == held[index...].map(\.place), "at \(record), \(random)")
      }
    }
  }

  @Test(arguments: SampleLayout.allCases, firstSegments)
  func `a log that is opened where reading stopped goes on as if it had not`(
    layout: SampleLayout, firstSegment: UInt32
  ) throws {
    var random = SeededGenerator(seed: 23)
    var log = try SampleRing(layout, firstSegment: firstSegment)
    var reader = try RingReader(log.instance.path, start: .tail)
    var place: UInt64 = 0
    while log.ring.turns < 3 {
      let before = log.written.count
      log.write(Int.random(in: 0...20, using: &random), &random)
      let stored = try reader.nextPosition().description
      let position = try #require(LogPosition(stored))
      #expect(position.place >= place)
      place = position.place
      reader = try RingReader(log.instance.path, start: .at(position))
      try #require(reader.resumption == .held, "\(random)")
      let runs = Int.random(in: 0...20, using: &random)
      let first = try reader.take(runsMax: runs).texts
      var again = try RingReader(log.instance.path, start: .at(reader.nextPosition()))
      let second = try again.take()
      try #require(first + second.texts == log.written[before...].map(\.text), "\(random)")
      _ = try reader.take()
    }
  }

  @Test(arguments: SampleLayout.allCases, firstSegments)
  func `what was overwritten since is counted to the byte`(layout: SampleLayout, firstSegment: UInt32) throws
  {
    var random = SeededGenerator(seed: 24)
    var log = try SampleRing(layout, firstSegment: firstSegment)
    var overruns = 0
    for _ in 0..<40 {
      let place = log.nextPlace
      let before = log.written.count
      log.write(Int.random(in: 1...150, using: &random), &random)
      var reader = try RingReader(log.instance.path, start: .at(log.position(place)))
      let next = try reader.nextPosition().place
      let rest = try reader.take()
      switch reader.resumption {
      case .held:
        try #require(next == place && rest.texts == log.written[before...].map(\.text), "\(random)")
      case .overrun(let lostBytes):
        overruns += 1
        try #require(next == place + UInt64(lostBytes), "\(random)")
        let left = log.written.suffix(rest.texts.count)
        try #require(rest.texts == left.map(\.text) && rest.places == left.map(\.place), "\(random)")
        // All records in front of the place where reading resumes are missing, and no others.
        try #require(left.count < log.written.count - before, "\(random)")
        try #require(log.written.dropLast(left.count).allSatisfy { $0.place < next }, "\(random)")
      case .otherIncarnation, .noSuchPlace, .incomparable, nil:
        Issue.record("\(String(describing: reader.resumption)), \(random)")
      }
    }
    #expect((5...35).contains(overruns))
  }

  @Test(arguments: SampleLayout.allCases)
  func `a log that was made anew is another one`(layout: SampleLayout) throws {
    var random = SeededGenerator(seed: 25)
    var log = try SampleRing(layout)
    log.write(20, &random)
    let old = log.position(log.written[10].place)
    let ring = try log.instance.startWorker(layout, eighthWords: 512)
    ring.append(SampleRecord(7, .client, "ReqURL", "/new"))
    var reader = try RingReader(log.instance.path, start: .at(old))
    #expect(reader.resumption == .otherIncarnation)
    #expect(try reader.take().texts == ["/new"])
    let new = try reader.nextPosition()
    #expect(new.distance(to: old) == nil)
    #expect(new.incarnation != old.incarnation)
  }

  @Test(arguments: SampleLayout.allCases)
  func `a place where no record begins is not believed`(layout: SampleLayout) throws {
    var random = SeededGenerator(seed: 26)
    var log = try SampleRing(layout)
    while log.ring.turns < 2 { log.write(5, &random) }
    log.write(50, &random)
    var head = try RingReader(log.instance.path, start: .head)
    let all = try head.take()
    let first = try #require(all.places.first)
    let boundaries = Set(log.pieceBounds + log.written.map(\.place))
    // So far back or ahead that a 32-bit difference is ambiguous.
    let farAhead = UInt64(1 << 31) * UInt64(512 * 4)
    let hostile =
      (0..<300).map { _ in UInt64.random(in: first..<log.nextPlace + 2000, using: &random) & ~3 }
      + (0..<100).map { _ in random.next() >> UInt64.random(in: 1..<64, using: &random) }
      + [log.nextPlace + 4, log.nextPlace + 1, 1 << 62, .max]
    for place in hostile {
      var reader = try RingReader(log.instance.path, start: .at(log.position(place)))
      let take = try reader.take()
      switch reader.resumption {
      case .held: try #require(boundaries.contains(place), "\(place), \(random)")
      case .overrun(let lostBytes):
        try #require(lostBytes > 0 && (place < first || place > farAhead), "\(place), \(random)")
      case .noSuchPlace:
        try #require(!boundaries.contains(place) || place < first, "\(place), \(random)")
        try #require(take.texts == all.texts, "\(place), \(random)")
      case .otherIncarnation, .incomparable, nil: Issue.record("\(place), \(random)")
      }
    }
  }
}

/// The log of a played worker, with all that was written to it.
private struct SampleRing {
  struct Written: CustomStringConvertible {
    let place: UInt64
    let text: String
    var description: String { "\(place) \(text.prefix(20))" }
  }

  let instance: SampleWorkdir
  let ring: RingWriter
  /// Every record with a text, and its place.
  private(set) var written: [Written] = []
  /// Where single records and batches begin and end.
  private(set) var pieceBounds: [UInt64] = []
  private let layout: SampleLayout
  private let firstPlace: UInt64
  private let incarnation: LogIncarnation

  init(_ layout: SampleLayout, firstSegment: UInt32 = RingWriter.firstSegment) throws {
    self.layout = layout
    instance = try SampleWorkdir()
    ring = try instance.startWorker(layout, eighthWords: 512, firstSegment: firstSegment)
    firstPlace = UInt64(firstSegment &- RingWriter.firstSegment) / 8 * UInt64(8 * 512 * 4)
    incarnation = try RingReader(instance.path, start: .head).nextPosition().incarnation
  }

  var nextPlace: UInt64 { place(ring.writePosition) }

  func position(_ place: UInt64) -> LogPosition { LogPosition(incarnation, place: place) }

  private func place(_ word: Int) -> UInt64 { firstPlace + UInt64((ring.turns * 8 * 512 + word) * 4) }

  /// Writes records of random lengths, alone or in batches.
  mutating func write(_ pieceCount: Int, _ random: inout SeededGenerator) {
    for _ in 0..<pieceCount {
      let vxid = UInt64(written.count + 1)
      let isBatch = Bool.random(using: &random)
      let records = (0..<(isBatch ? Int.random(in: 1...6, using: &random) : 1)).map { index in
        let text = "/\(written.count + index)/"
        let padding = String(repeating: "x", count: Int.random(in: 0..<90, using: &random))
        return SampleRecord(vxid, .client, "ReqURL", text + padding)
      }
      ring.commit(ring.reserve(records, batched: isBatch))
      let wordCount = records.reduce(isBatch ? layout.headerWords : 0) { $0 + $1.words(layout).count }
      var word = ring.writePosition - wordCount
      pieceBounds += [place(word), nextPlace]
      if isBatch { word += layout.headerWords }
      for record in records {
        written.append(
          Written(place: place(word), text: String(decoding: record.payload.dropLast(), as: UTF8.self)))
        word += record.words(layout).count
      }
    }
  }
}
