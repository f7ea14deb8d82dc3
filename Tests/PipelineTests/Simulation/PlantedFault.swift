import Checkpoints
import LogReading
import Platform
import Shipping
import Spool
import TestSupport
import Testing
import VarnishLog

/// A fault that is planted into simulated runs to check that the simulation finds it.
struct PlantedFault: Sendable {
  let name: String
  /// Changes the machine's behaviour.
  var prepare: @Sendable (SimulatedMachine) -> Void = { _ in }
  /// Changes the checkpoint between two runs, given the paths of the checkpoint and of the log.
  var tamper: @Sendable (String, String) throws -> Void = { _, _ in }
  /// Wraps the sink of an output.
  var replaceSink: (@Sendable (sending any Sink) -> sending any Sink)?
}

extension PlantedFault: CustomTestStringConvertible {
  var testDescription: String { name }

  static let all: [PlantedFault] = [
    PlantedFault(name: "a batch is noted before it is written", replaceSink: { NotingEarly($0) }),
    PlantedFault(name: "a member in memory counts as settled", replaceSink: { SettlingEarly($0) }),
    PlantedFault(name: "a member is counted twice", replaceSink: { CountingTwice($0) }),
    PlantedFault(name: "a file isn't cut back", prepare: { $0.pretended = [.ftruncate] }),
    PlantedFault(name: "a forced end is forgotten", reading: { $0.forced = [] }),
    PlantedFault(name: "an unfinished transaction is forgotten", reading: { _ = $0.unfinished.popLast() }),
    PlantedFault(name: "what was dropped is forgotten", reading: { $0.unsaid = [] }),
    PlantedFault(name: "what was offered at the place is forgotten", reading: { $0.offered = [] }),
    PlantedFault(
      name: "reading goes on where one output hasn't come yet", reading: { $0.resumption = $0.through }),
    PlantedFault(name: "the mark is one too high", replaceSink: { NotingOneMore($0) }),
    PlantedFault(
      name: "the mark is one too low",
      standing: { if $0.pending == nil, $0.done.ordinal > 0 { $0.done.ordinal -= 1 } }),
    PlantedFault(name: "a write that was begun is ignored", standing: { $0.pending = nil }),
    PlantedFault(name: "a new log is taken for the old one", tamper: takeForTheOld),
    PlantedFault(name: "a copy counts before all of it is there", tamper: completeCopies),
  ]

  /// Changes the state of reading in the checkpoint.
  private init(name: String, reading change: @escaping @Sendable (inout ReadingStanding) -> Void) {
    self.init(name: name)
    tamper = { path, _ in
      let file = try CheckpointFile(path)
      guard var reading = file.earlier?.reading else { return }
      let former = reading
      change(&reading)
      guard reading != former else { return }
      let part = file.makeReadingPart()
      part.note(reading)
      part.noteAgain()
    }
  }

  /// Changes the state of outputs in the checkpoint.
  private init(name: String, standing change: @escaping @Sendable (inout OutputStanding) -> Void) {
    self.init(name: name)
    tamper = { path, _ in
      let file = try CheckpointFile(path)
      for output in file.earlier?.outputs ?? [] {
        var standing = output.standing
        change(&standing)
        if standing != output.standing { try file.makeOutputPart(output.name).note(standing, isTurn: true) }
      }
    }
  }

  private static func takeForTheOld(_ path: String, _ log: String) throws {
    var instance = InstanceFollower(path: log)
    instance.refresh()
    guard let ring = try instance.attach(start: .head, stopsAtTail: false) else { return }
    let incarnation = ring.incarnation
    let file = try CheckpointFile(path)
    guard var reading = file.earlier?.reading, let last = reading.logs.popLast() else { return }
    reading.logs.append(LogSpan(incarnation, start: last.start))
    let part = file.makeReadingPart()
    part.note(reading)
    part.noteAgain()
  }

  /// Makes each torn copy valid, and the newest of its part.
  private static func completeCopies(_ path: String, _ log: String) throws {
    guard let bytes = try? readFile(path) else { return }
    var changed = bytes
    let magicWords = 2
    let key = Array(bytes[(24 + magicWords * 8)..<(32 + magicWords * 8)])
    var copies: [(start: Int, capacity: Int)] = []
    for copy in 0..<2 { copies.append((4096 + copy << 20, 1 << 20)) }
    let outputs = 4096 + 2 << 20
    for output in 0..<3 {
      for copy in 0..<2 { copies.append((outputs + output * 4096 + copy * 1024, 1024)) }
    }
    for (start, capacity) in copies {
      let header = bytes[start..<start + 24]
      guard Array(header.suffix(8)) == key else { continue }
      func number(_ offset: Int, _ count: Int) -> UInt64 {
        bytes[(start + offset)..<(start + offset + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
      }
      let wordCount = Int(number(4, 4))
      guard 24 + wordCount * 8 <= capacity else { continue }
      let end = start + 24 + wordCount * 8
      guard UInt64(CRC32.of(bytes[(start + 4)..<end])) != number(0, 4) else { continue }
      let generation = number(8, 8) + 2
      for index in 0..<8 { changed[start + 8 + index] = UInt8(truncatingIfNeeded: generation >> (8 * index)) }
      let sum = CRC32.of(changed[(start + 4)..<end])
      for index in 0..<4 { changed[start + index] = UInt8(truncatingIfNeeded: sum >> (8 * index)) }
    }
    if changed != bytes { try overwriteFile(path, changed) }
  }
}

/// The CRC-32 of gzip.
private enum CRC32 {
  static func of(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var sum = UInt32.max
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 0 ? sum >> 1 : sum >> 1 ^ 0xEDB8_8320 }
    }
    return ~sum
  }
}
