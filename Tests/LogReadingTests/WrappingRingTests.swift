import Glibc
import LogReading
import Synchronization
import TestSupport
import Testing
import VarnishLog

/// Rings of servers before 4.0, followed while they are written round and round.
struct WrappingRingTests {
  /// The result of reading.
  private struct Outcome {
    var numbers: [Int] = []
    var mixed = 0
    var lostBytes = 0
  }

  @Test(arguments: [RingKind.v21, .v30])
  func `what the server leaves time for comes once and in order`(kind: RingKind) throws {
    var random = SeededGenerator()
    let log = try MarkedLog(kind, random)
    var ring = try LegacyReader(log.directory.path)
    var outcome = Outcome()
    while log.lastNumber < 6000 {
      log.log(Int.random(in: 1...20, using: &random))
      try ring.read(&outcome.numbers, &outcome.mixed, &outcome.lostBytes)
    }
    #expect(outcome.mixed == 0 && outcome.lostBytes == 0, "\(random)")
    let isAll = outcome.numbers.sorted() == Array(1...log.lastNumber).filter { !log.open.contains($0) }
    #expect(isAll, "\(outcome.numbers.count) of \(log.lastNumber), \(random)")
  }

  @Test(arguments: [RingKind.v21, .v30])
  func `what it overtakes is lost, said, and never mixed`(kind: RingKind) throws {
    var random = SeededGenerator()
    let log = try MarkedLog(kind, random)
    var ring = try LegacyReader(log.directory.path)
    var outcome = Outcome()
    for round in 0..<200 {
      // Up to three turns at a time, with the reader at any place.
      log.log(Int.random(in: 1...(round % 5 == 0 ? 400 : 60), using: &random))
      try ring.read(
        &outcome.numbers, &outcome.mixed, &outcome.lostBytes,
        stepsMax: Int.random(in: 0...200, using: &random))
    }
    try ring.read(&outcome.numbers, &outcome.mixed, &outcome.lostBytes)
    #expect(outcome.mixed == 0 && outcome.lostBytes > 0, "\(random)")
    #expect(Set(outcome.numbers).count == outcome.numbers.count, "\(random)")
    #expect(
      outcome.numbers.count > log.lastNumber / 10, "\(outcome.numbers.count) of \(log.lastNumber), \(random)")
  }

  @Test(arguments: [RingKind.v21, .v30])
  func `a server in another thread is followed without a line that it didn't log`(kind: RingKind) async throws
  {
    try await onOwnThread {
      let log = try MarkedLog(kind, SeededGenerator())
      var ring = try LegacyReader(log.directory.path)
      let done = Done()
      detachThread {
        for _ in 0..<400 {
          log.log(25)
          sched_yield()
        }
        done.flag.store(true, ordering: .releasing)
      }
      var outcome = Outcome()
      while !done.flag.load(ordering: .acquiring) {
        try ring.read(&outcome.numbers, &outcome.mixed, &outcome.lostBytes)
      }
      try ring.read(&outcome.numbers, &outcome.mixed, &outcome.lostBytes)
      #expect(outcome.mixed == 0)
      #expect(Set(outcome.numbers).count == outcome.numbers.count)
      #expect(outcome.numbers.contains(log.lastNumber - 10) || outcome.lostBytes > 0)
      #expect(!outcome.numbers.isEmpty)
    }
  }
}

/// Whether the server has logged everything.
private final class Done: Sendable {
  let flag = Atomic(false)
}

/// Reads a ring of 2.1 or 3.0.
private struct LegacyReader: ~Copyable {
  private var ring: LiveRing?
  private var requests = RequestGrouper<WideRecords>(.v73)

  /// Begins at the end of the log.
  init(_ path: String) throws {
    var follower = InstanceFollower(path: path)
    follower.refresh()
    ring = try follower.attach(start: .tail, stopsAtTail: false)
  }

  /// Reads all that is there, or a limited number of steps.
  mutating func read(
    _ numbers: inout [Int], _ mixed: inout Int, _ lostBytes: inout Int, stepsMax: Int = .max
  ) throws {
    switch ring.take() {
    case .old21(var ring):
      try read(&ring, &numbers, &mixed, &lostBytes, stepsMax)
      self.ring = .old21(ring)
    case .old30(var ring):
      try read(&ring, &numbers, &mixed, &lostBytes, stepsMax)
      self.ring = .old30(ring)
    default: throw SupportError("no ring of 2.1 or 3.0")
    }
  }

  private mutating func read<Source: LiveSource & ~Copyable>(
    _ ring: inout Source, _ numbers: inout [Int], _ mixed: inout Int, _ lostBytes: inout Int, _ stepsMax: Int
  ) throws where Source.Layout == WideRecords {
    var steps = 0
    while steps < stepsMax {
      steps += 1
      switch try ring.next() {
      case .records(let run): requests.add(run, &numbers, &mixed)
      case .overrun(let bytes):
        lostBytes += bytes
        requests.forget()
      case .damaged(let error): throw error
      case .idle, .end, .gap: return
      }
    }
  }
}
