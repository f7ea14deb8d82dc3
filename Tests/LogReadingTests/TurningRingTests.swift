import LogReading
import TestSupport
import Testing
import VarnishLog

/// Rings of 4.0, which count turns, and segments within a turn.
struct TurningRingTests {
  /// A file of 4.0, and the paths that were logged to it.
  private final class Log {
    let directory: TemporaryDirectory
    let ring: TurningRingWriter
    private let chunks: ChunkFile
    private(set) var paths: [String] = []

    init(turn: UInt32) throws {
      directory = try TemporaryDirectory()
      chunks = try ChunkFile(path: directory.file("_.vsm"), byteCount: 1 << 16)
      let log = chunks.allocate("Log", byteCount: 1 << 13)
      ring = TurningRingWriter(in: chunks.file, at: log.lowerBound, byteCount: log.count, turn: turn)
      try chunks.file.publish()
    }

    func write(_ count: Int) {
      for _ in 0..<count { ring.commit(reserve()) }
    }

    func reserve() -> TurningRingWriter.Reservation {
      paths.append("/\(paths.count)")
      return ring.reserve(
        SampleRecord.request(paths[paths.count - 1], number: paths.count, tags: .v40))
    }

    func reader(_ start: LogStart) throws -> RingReader { try RingReader(directory.path, start: start) }
  }

  /// The paths among the texts read.
  private static func paths(_ take: RingReader.Take) -> [String] { take.texts.filter { $0.hasPrefix("/") } }

  /// Turn numbers that begin anywhere, overflow soon, or overflow in the turn in which the reader begins.
  static let turns: [UInt32] = [1, 7, 1 << 20, 1 << 20 + 1, .max - 2, .max]

  @Test(arguments: turns) func `everything is read once, through many turns`(turn: UInt32) throws {
    let log = try Log(turn: turn)
    var reader = try log.reader(.tail)
    var paths: [String] = []
    for round in 0..<2000 {
      log.write(1 + round % 5)
      let take = try reader.take()
      try #require(take.lostBytes.isEmpty && take.damages.isEmpty, "round \(round)")
      paths += Self.paths(take)
    }
    expectEqual(paths, log.paths)
  }

  /// Compares without printing all of them.
  private func expectEqual(_ paths: [String], _ expected: [String]) {
    let isSame = paths == expected
    #expect(isSame, "\(paths.count) paths of \(expected.count)")
  }

  @Test(arguments: turns) func `reading goes on where it had stopped, in another process`(turn: UInt32) throws
  {
    let log = try Log(turn: turn)
    var reader = try log.reader(.tail)
    var paths: [String] = []
    for round in 0..<600 {
      log.write(round % 7)
      let position = try #require(LogPosition(reader.nextPosition().description))
      reader = try log.reader(.at(position))
      try #require(reader.resumption == .held, "round \(round)")
      paths += Self.paths(try reader.take())
    }
    expectEqual(paths, log.paths)
  }

  @Test(arguments: turns) func `what was overwritten is counted, and the rest is whole`(turn: UInt32) throws {
    let log = try Log(turn: turn)
    log.write(10)
    let position = try log.reader(.tail).nextPosition()
    for _ in 0..<10 {
      log.write(200)
      var reader = try log.reader(.at(position))
      guard case .overrun(let lostBytes) = reader.resumption else {
        Issue.record("\(String(describing: reader.resumption))")
        return
      }
      #expect(lostBytes > 0)
      let rest = Self.paths(try reader.take())
      let isLast = rest == log.paths.suffix(rest.count)
      #expect(rest.count > 20 && isLast)
    }
  }

  @Test(arguments: turns) func `the beginning is the oldest that is surely whole`(turn: UInt32) throws {
    let log = try Log(turn: turn)
    for _ in 0..<300 {
      log.write(3)
      var reader = try log.reader(.head)
      let rest = try reader.take()
      try #require(rest.damages.isEmpty && rest.lostBytes.isEmpty)
      let paths = Self.paths(rest)
      let isLast = paths == log.paths.suffix(paths.count)
      try #require(isLast)
      // At least half of the ring, once that much was logged.
      try #require(paths.count >= min(30, log.paths.count))
    }
  }

  /// Readers look between the two stores with which a turn begins, and before the wrap mark.
  @Test(arguments: TurningRingWriter.Order.allCases, turns)
  func `half of a beginning isn't taken for anything else`(order: TurningRingWriter.Order, turn: UInt32)
    throws
  {
    let log = try Log(turn: turn)
    log.ring.order = order
    // One reader for each way of being behind.
    let readers = try (0..<5).map { _ in Reader(try log.reader(.tail)) }
    var looks = 0
    log.ring.betweenStores = {
      for (index, reader) in readers.enumerated() where index > 0 { reader.read(runsMax: index * 7) }
      looks += 1
    }
    for _ in 0..<1500 {
      log.write(1)
      readers[0].read(runsMax: .max)
    }
    for reader in readers { reader.read(runsMax: .max) }
    #expect(looks > 20)
    #expect(readers[0].problems.isEmpty)
    expectEqual(readers[0].paths, log.paths)
    for reader in readers {
      // A reader that reads so little is overtaken, but it must never report damage.
      let damages = reader.problems.filter { $0.hasPrefix("damage") }
      #expect(damages.isEmpty, "\(damages.first ?? "")")
      let numbers = reader.paths.compactMap { Int($0.dropFirst()) }
      let isInOrder = zip(numbers, numbers.dropFirst()).allSatisfy(<)
      #expect(isInOrder && numbers.last == log.paths.count - 1)
    }
  }

  /// A reader that reads little by little, and all that it has read.
  private final class Reader {
    private var reader: RingReader
    private(set) var paths: [String] = []
    private(set) var problems: [String] = []

    init(_ reader: consuming RingReader) { self.reader = reader }

    func read(runsMax: Int) {
      do {
        let take = try reader.take(runsMax: runsMax)
        paths += TurningRingTests.paths(take)
        problems += take.lostBytes.map { "lost \($0)" } + take.damages.map { "damage \($0)" }
      } catch {
        problems.append("\(error)")
      }
    }
  }

  @Test func `a thread that is slow at the end of a turn holds the others up, and loses nothing`() throws {
    let log = try Log(turn: 3)
    var reader = try log.reader(.tail)
    var paths: [String] = []
    for _ in 0..<50 {
      // A reservation in front of the end of the turn, not yet filled when the next turn has begun.
      while log.ring.position < log.ring.ringWords - 120 {
        log.write(1)
        paths += Self.paths(try reader.take())
      }
      let slow = log.reserve()
      let turn = log.ring.turn
      while log.ring.turn == turn { log.write(1) }
      log.write(3)
      #expect(try reader.take().texts.isEmpty)
      log.ring.commit(slow)
      paths += Self.paths(try reader.take())
    }
    expectEqual(paths, log.paths)
  }
}
