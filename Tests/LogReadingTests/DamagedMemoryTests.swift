import Glibc
import LogReading
import TestSupport
import Testing
import VarnishLog

/// Single-file logs in which bytes are changed, which are cut off, or both.
///
/// `SPILLWAY_DAMAGE_ROUNDS` sets how often each is tried, and `SPILLWAY_DAMAGE_WORKDIR` names a directory
/// whose file is damaged instead.
struct DamagedMemoryTests {
  /// The kinds of servers.
  enum Kind: CaseIterable, CustomTestStringConvertible {
    case v20, v21, v30, v40, v41

    var testDescription: String { "\(self)" }

    var type: any PlayedServer.Type {
      switch self {
      case .v20: Server20.self
      case .v21: Server21.self
      case .v30: Server30.self
      case .v40: Server40.self
      case .v41: Server41.self
      }
    }

    var name: String { [.v20, .v21].contains(self) ? "_.vsl" : "_.vsm" }
  }

  private static let rounds = getenv("SPILLWAY_DAMAGE_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 400

  @Test(arguments: Kind.allCases) func `are read to an end`(kind: Kind) throws {
    let origin = try TemporaryDirectory()
    let server = try kind.type.init(directory: origin.path)
    for number in 1...1500 {
      server.log("/\(number)", number: number)
      if number % 50 == 0 { try server.changeList() }
    }
    try damage(origin.path + "/" + kind.name)
  }

  @Test(.enabled(if: getenv("SPILLWAY_DAMAGE_WORKDIR") != nil))
  func `and so are those of real servers`() throws {
    let path = getenv("SPILLWAY_DAMAGE_WORKDIR").map { String(cString: $0) } ?? ""
    let name = access(path + "/_.vsm", R_OK) == 0 ? "_.vsm" : "_.vsl"
    try damage(path + "/" + name)
  }

  private func damage(_ path: String) throws {
    let whole = try readFile(path)
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    let directory = try TemporaryDirectory()
    var random = SeededGenerator()
    var found = 0
    for round in 0..<Self.rounds {
      var bytes = whole
      // The bytes at the front matter most.
      let places = [48, 256, 70_000, bytes.count].map { min($0, bytes.count) }
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        let place = places[Int.random(in: 0..<4, using: &random)]
        bytes[Int.random(in: 0..<place, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
      }
      // Also a byte of a list or of a ring's head.
      if round % 3 == 0, let at = Self.findHead(in: bytes, &random) {
        bytes[at] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
      }
      if round % 4 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
      try writeFile(directory.file(name), bytes)
      let start = [LogStart.head, .tail].randomElement(using: &random) ?? .head
      found += read(directory.path, start, stopsAtTail: round % 2 == 0, byteCount: bytes.count, random)
    }
    #expect(found > Self.rounds / 4, "\(random)")
  }

  /// A byte of a section's or chunk's header, or of a ring's head.
  private static func findHead(in bytes: [UInt8], _ random: inout SeededGenerator) -> Int? {
    let marks = [Array("VSMCHUNK".utf8), Array("VSLHEAD".utf8), [0x6E, 0x7B, 0x90, 0x43]]
    let mark = marks[Int.random(in: 0..<marks.count, using: &random)]
    let from = Int.random(in: 0..<max(1, bytes.count - 300), using: &random)
    for at in stride(from: from & ~3, to: bytes.count - 300, by: 4)
    where bytes[at] == mark[0] && bytes[at..<at + mark.count].elementsEqual(mark) {
      return at + Int.random(in: 0..<200, using: &random)
    }
    return nil
  }

  /// Reads the log, if there is one.
  ///
  /// - Returns: 1 if there was a log.
  private func read(
    _ path: String, _ start: LogStart, stopsAtTail: Bool, byteCount: Int, _ random: SeededGenerator
  ) -> Int {
    var follower = InstanceFollower(path: path, isPostMortem: true)
    follower.refresh()
    #expect(!follower.trouble.isEmpty)
    do {
      guard let ring = try follower.attach(start: start, stopsAtTail: stopsAtTail) else { return 0 }
      switch consume ring {
      case .turning(var ring): try drain(&ring, byteCount, random)
      case .narrow(var ring): try drain(&ring, byteCount, random)
      case .wide(var ring): try drain(&ring, byteCount, random)
      case .old20(var ring): try drain(&ring, byteCount, random)
      case .old21(var ring): try drain(&ring, byteCount, random)
      case .old30(var ring): try drain(&ring, byteCount, random)
      }
      return 1
    } catch {
      #expect(!"\(error)".isEmpty)
      return 0
    }
  }

  private func drain<Source: LiveSource & ~Copyable>(
    _ ring: inout Source, _ byteCount: Int, _ random: SeededGenerator
  ) throws {
    _ = ring.lagBytes
    var steps = 0
    while true {
      steps += 1
      // Each word can begin a record at most once.
      guard steps < byteCount / 4 + 100 else {
        Issue.record("a log that never comes to rest, \(random)")
        return
      }
      switch try ring.next() {
      case .records(let run):
        var cursor = run.makeCursor()
        while let record = cursor.next() { _ = record.payload.droppingFinalNULs.count }
      case .overrun(let lostBytes): #expect(lostBytes >= 0, "\(random)")
      case .damaged(let error): #expect(!error.description.isEmpty)
      case .gap: Issue.record("shared memory that is alive has no gaps")
      case .idle, .end: return
      }
    }
  }
}
