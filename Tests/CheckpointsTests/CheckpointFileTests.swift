import Glibc
import Platform
import Spool
import TestSupport
import Testing
import VarnishLog

@testable import Checkpoints

struct CheckpointFileTests {
  private static let incarnation = LogIncarnation(
    device: 7, inode: 99, writer: .init(pid: 4711, birth: 1_700_000_000))

  private static func reading(_ through: UInt64) -> ReadingStanding {
    ReadingStanding(
      logs: [LogSpan(incarnation, start: 1000)], through: through, resumption: through - 100,
      unfinished: [.init(way: 3, vxid: 77, firstPlace: through - 300)],
      forced: [ForcedEnd(way: 3, vxid: 1234, place: through - 20, reason: .timeout)])
  }

  private static func standing(_ place: UInt64) -> OutputStanding {
    OutputStanding(
      done: EntryMark(place: place, ordinal: 2), sequence: Int(place / 10),
      place: OutputPlace(
        file: FileIdentity(device: 1, inode: 2), number: Int64(place), byteCount: Int(place) * 3),
      pending: .init(
        done: EntryMark(place: place + 8, ordinal: 0), sequence: Int(place / 10) + 1,
        byteCount: Int(place) * 4))
  }

  /// Writes a checkpoint to which two outputs and the reader have noted their state more than once.
  private static func write(_ path: String, times: Int = 5) throws {
    let file = try CheckpointFile(path)
    let reading = file.makeReadingPart()
    let first = try file.makeOutputPart("/var/log/access.log")
    let second = try file.makeOutputPart("| logger")
    for time in 1...UInt64(times) {
      #expect(reading.note(Self.reading(10_000 + time)))
      first.note(standing(9000 + time))
      if time == 3 { first.noteSynced() }
      second.note(OutputStanding(done: EntryMark(place: 8000 + time, ordinal: 0)))
    }
  }

  @Test func `what was noted is found again`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/checkpoint"
    try Self.write(path)
    let file = try CheckpointFile(path)
    let found = try #require(file.earlier)
    #expect(file.damage.isEmpty)
    #expect(found.boot == CheckpointFile.presentBoot)
    #expect(found.reading == Self.reading(10_005))
    #expect(found.outputs.map(\.name) == ["/var/log/access.log", "| logger"])
    #expect(found.outputs[0].standing == Self.standing(9005))
    #expect(found.outputs[0].synced == Self.standing(9003))
    #expect(found.outputs[1].synced == nil)
    #expect(found.standing(of: "/var/log/access.log", sinceBoot: "another") == Self.standing(9003))
    #expect(found.standing(of: "| logger", sinceBoot: "another") == nil)
  }

  @Test func `a new file has nothing in it and is the only one's`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/checkpoint"
    let file = try CheckpointFile(path)
    #expect(file.earlier == nil)
    #expect(file.damage.isEmpty)
    #expect(throws: CheckpointError.inUse(path)) { _ = try CheckpointFile(path) }
    #expect(throws: Never.self) { _ = try CheckpointFile.read(path) }
  }

  @Test func `another file is left as it is`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/other"
    try writeFile(path, Array("something else".utf8))
    #expect(throws: CheckpointError.noCheckpoint(path)) { _ = try CheckpointFile(path) }
    #expect(try readFile(path) == Array("something else".utf8))
  }

  @Test func `a part belongs to its output until that is forgotten`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/checkpoint"
    try Self.write(path)
    do {
      let file = try CheckpointFile(path)
      #expect(file.forget(allBut: ["| logger"]) == ["/var/log/access.log"])
      try file.makeOutputPart("new").note(Self.standing(1))
    }
    let found = try CheckpointFile.read(path).0
    #expect(Set(found.outputs.map(\.name)) == ["new", "| logger"])
    let file = try CheckpointFile(path)
    for index in 2..<CheckpointLayout.outputsMax { _ = try file.makeOutputPart("output \(index)") }
    #expect(throws: CheckpointError.full(path)) { _ = try file.makeOutputPart("one too many") }
  }

  /// Changes every written byte of the file in turn: reading then gives the state noted last or, with a
  /// reported damage, the one before.
  @Test func `a damaged byte costs no more than the newest copy`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/checkpoint"
    try Self.write(path)
    let whole = try CheckpointFile.read(path).0
    var before = whole
    before.reading = Self.reading(10_004)
    let bytes = try readFile(path)
    let written = bytes.indices.filter { bytes[$0] != 0 }
    #expect(written.count > 400)
    let descriptor = open(path, O_RDWR)
    defer { close(descriptor) }
    var olderCount = 0
    // Also the byte behind each written one.
    for offset in Set(written.flatMap { [$0, min($0 + 1, bytes.count - 1)] }).sorted() {
      for change in [UInt8(0xFF), 0x01] {
        var byte = bytes[offset] ^ change
        pwrite(descriptor, &byte, 1, off_t(offset))
        let (found, damage) = try CheckpointFile.read(path)
        if found != whole {
          #expect(!damage.isEmpty, "offset \(offset)")
          olderCount += 1
          let older = [
            found.reading.through, found.outputs[0].standing.done.place, found.outputs[1].standing.done.place,
          ]
          #expect(zip(older, [10_005, 9005, 8005]).count { $0 == $1 - 1 } <= 1, "offset \(offset)")
          #expect(
            zip(older, [10_005, 9005, 8005]).allSatisfy { $0 == $1 || $0 == $1 - 1 }, "offset \(offset)")
        }
        byte = bytes[offset]
        pwrite(descriptor, &byte, 1, off_t(offset))
      }
    }
    #expect(olderCount > 100)
  }

  @Test func `what seems damaged while it is written is looked at again`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/checkpoint"
    try Self.write(path)
    let whole = try CheckpointFile.read(path).0
    let descriptor = open(path, O_RDWR)
    defer { close(descriptor) }
    // A word that is in use, in both copies of the reader's state.
    let offsets = (0..<2).map {
      off_t(CheckpointLayout.readingOffset + $0 * CheckpointLayout.readingCopyBytes + 32)
    }
    func change() {
      for offset in offsets {
        var byte: UInt8 = 0
        pread(descriptor, &byte, 1, offset)
        byte ^= 0x55
        pwrite(descriptor, &byte, 1, offset)
      }
    }
    change()
    var pauseCount = 0
    let (found, damage) = try CheckpointFile.read(path) {
      pauseCount += 1
      if pauseCount == 2 { change() }
    }
    #expect(found == whole && damage.isEmpty)
    #expect(pauseCount == 2)
    change()
    let (_, lasting) = try CheckpointFile.read(path) { pauseCount += 1 }
    #expect(lasting == [.lost("how the log was read")])
    #expect((3...5).contains(pauseCount), "what doesn't change isn't looked at for long")
  }

  @Test func `a file that is cut while it is read harms nothing`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/checkpoint"
    try Self.write(path)
    let descriptor = open(path, O_RDWR)
    defer { close(descriptor) }
    var byte: UInt8 = 0xFF
    pwrite(descriptor, &byte, 1, off_t(CheckpointLayout.readingOffset + 32))
    let (found, damage) = try CheckpointFile.read(path) { ftruncate(descriptor, 5000) }
    #expect(damage.count == 1 && found.outputs.count == 2, "what was read before it was cut: \(damage)")
    ftruncate(descriptor, off_t(CheckpointLayout.byteCount))
    let rest = try CheckpointFile.read(path).0
    #expect(rest.outputs.isEmpty, "what is read after it")
  }

  @Test func `a place that can't be is no place`() {
    func place(_ words: [UInt64]) -> OutputPlace? {
      var reader = WordReader(words)
      return OutputPlace(from: &reader)
    }
    let limit = UInt64(Int64.max)
    #expect(
      place([.max, .max, limit, limit])
        == OutputPlace(
          file: FileIdentity(device: .max, inode: .max), number: .max, byteCount: .max))
    for words in [[1, 2, limit + 1, 4], [1, 2, .max, 4], [1, 2, 3, limit + 1], [1, 2, 3]] as [[UInt64]] {
      #expect(place(words) == nil)
    }
  }

  @Test func `garbage is no checkpoint and doesn't harm`() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/checkpoint"
    var random = SeededGenerator(seed: 20_261_128)
    for _ in 0..<20 {
      let bytes = (0..<CheckpointLayout.byteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
      try writeFile(path, bytes)
      #expect(throws: CheckpointError.noCheckpoint(path)) { _ = try CheckpointFile.read(path) }
      let file = try CheckpointFile(path)
      #expect(file.earlier == nil)
      #expect(file.damage == [.unreadable])
      unlink(path)
    }
  }
}
