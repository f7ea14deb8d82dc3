import Glibc
import TestSupport
import Testing

/// `-r` reads what a server has left: its directory, an archive of it, or only the ring.
@Suite(.needs(.spillway))
struct CopiedLogTests {
  static func run(
    _ arguments: [String], input: TestSupport.Command.Input = .null
  ) throws -> ProcessResult {
    var command = try Subject.found().ncsa(arguments)
    command.environment = ["TZ": "UTC", "LC_ALL": "C", "SPILLWAY_COMPAT": nil]
    command.input = input
    return try ProcessRunner.run(command)
  }

  /// Expects one message per ring and no others: that older records are left out.
  static func expectOlderLeftOut(_ result: ProcessResult, _ count: Int = 1) {
    let messages = result.errorText.split(separator: "\n")
    #expect(messages.count == count, "\(messages)")
    #expect(messages.allSatisfy { $0.contains("hold older records") }, "\(messages)")
  }

  /// A copied directory and its contents.
  struct Copy {
    let directory: String
    let ring: String
    let lines: [UInt8]

    /// The lines end with what the server's own tool printed: `-d` leaves out the oldest eighths, which a
    /// server may be about to overwrite.
    init(_ version: String) throws {
      let fixture = try Fixture.named("frozen-\(version)")
      directory = fixture.path("instance")
      let child = "\(directory)/_.vsm_child"
      ring = try #require(directoryEntries(child).first { $0.hasPrefix("_.Log.") }.map { "\(child)/\($0)" })
      let result = try CopiedLogTests.run(["-r", directory])
      #expect(result.status == 0)
      CopiedLogTests.expectOlderLeftOut(result)
      #expect(
        result.output.suffix(try fixture.bytes("default.out").count)
          == (try fixture.bytes("default.out"))[...])
      lines = result.output
    }
  }

  /// Makes an archive of a directory's content with the system's `tar`.
  private static func tar(
    _ directory: String, _ format: String, into path: String, prefix: String = "."
  ) throws -> [UInt8] {
    let result = try ProcessRunner.run(
      "tar", "--format=\(format)", "--transform=s,^\\.,\(prefix),", "-cf", path, "-C", directory, ".")
    #expect(result.status == 0, "\(result.errorText)")
    return try readFile(path)
  }

  @Test(arguments: ["7.1", "8.0"])
  func `a directory, a ring and every kind of archive give the same lines`(version: String) async throws {
    try await onOwnThread {
      let copy = try Copy(version)
      #expect(copy.lines.count { $0 == 10 } > 300)
      #expect(try Self.run(["-r", copy.ring]).output == copy.lines)
      let folder = try TemporaryDirectory()
      let long = "var/" + String(repeating: "a-name-of-some-length/", count: 14)
      for format in ["v7", "oldgnu", "gnu", "ustar", "pax"] {
        let path = folder.file("\(format).tar")
        let bytes = try Self.tar(
          copy.directory, format, into: path, prefix: ["gnu", "pax"].contains(format) ? long : ".")
        #expect(try Self.run(["-r", path]).output == copy.lines, "\(format)")
        #expect(try Self.run(["-r", "-"], input: .file(path)).output == copy.lines, "\(format)")
        #expect(try Self.run(["-r", "-"], input: .bytes(bytes)).output == copy.lines, "\(format)")
        for compressor in Compressor.allCases {
          let compressed = folder.file("\(format).tar.\(compressor)")
          try writeFile(compressed, try compressor.compress(bytes))
          let result = try Self.run(["-r", compressed])
          #expect(result.output == copy.lines && result.status == 0)
          Self.expectOlderLeftOut(result)
        }
      }
    }
  }

  @Test func `where the index is missing, the files are looked at`() async throws {
    try await onOwnThread {
      let copy = try Copy("7.1")
      let folder = try TemporaryDirectory()
      try writeFile(folder.file("_.Log.0123456789abcdef"), try readFile(copy.ring))
      #expect(try Self.run(["-r", folder.path]).output == copy.lines)
    }
  }

  @Test func `several logs in one archive are named, and one can be chosen`() async throws {
    try await onOwnThread {
      let copy = try Copy("7.1")
      let folder = try TemporaryDirectory()
      let path = folder.file("copies.tar")
      _ = try Self.tar(copy.directory, "gnu", into: path, prefix: "web1")
      let more = try ProcessRunner.run(
        "tar", "--transform=s,^\\.,web2,", "-rf", path, "-C", copy.directory, ".")
      #expect(more.status == 0)
      let name = copy.ring.split(separator: "/").last ?? ""
      let result = try Self.run(["-r", path])
      #expect(result.status == 1 && result.output.isEmpty)
      #expect(
        result.errorText == "spillway: \(path): holds 2 logs; name one: "
          + "\(path)/web1/_.vsm_child/\(name), \(path)/web2/_.vsm_child/\(name)\n")
      #expect(try Self.run(["-r", "\(path)/web2"]).output == copy.lines)
      #expect(try Self.run(["-r", "\(path)/web1/_.vsm_child/\(name)"]).output == copy.lines)
      let none = try Self.run(["-r", "\(path)/web3"])
      #expect(none.status == 1 && none.errorText.hasPrefix("spillway: \(path)/web3: holds no log"))
    }
  }

  @Test func `several inputs are read one after the other`() async throws {
    try await onOwnThread {
      let copy = try Copy("7.1")
      let fixture = try Fixture.named("8.0")
      let both = try Self.run(["-r", copy.ring, "-r", fixture.path("capture.vsl"), "-r", copy.directory])
      #expect(both.output == copy.lines + (try fixture.bytes("default.out")) + copy.lines)
      #expect(both.status == 0)
      Self.expectOlderLeftOut(both, 2)
      let twice = try Self.run(["-r", "-", "-r", "-"])
      #expect(twice.status == 1 && twice.errorText == "spillway: -r: standard input can be read once\n")
      let gone = try Self.run(["-r", copy.ring, "-r", "/no/such"])
      #expect(gone.status == 1 && gone.output.isEmpty)
      let folder = try TemporaryDirectory()
      let resumed = try Self.run(["-r", copy.ring, "-r", copy.ring, "--resume", folder.file("state")])
      #expect(resumed.status == 1 && resumed.errorText.contains("2 captured logs"))
    }
  }

  @Test func `a copy that was cut gives what is whole, and says how much is missing`() async throws {
    try await onOwnThread {
      let copy = try Copy("8.0")
      let ring = try readFile(copy.ring)
      let folder = try TemporaryDirectory()
      let path = folder.file("_.Log.cut")
      let lines = Set(copy.lines.split(separator: 10))
      for count in stride(from: 2000, to: ring.count - 8192, by: ring.count / 40) {
        try writeFile(path, ring[..<count])
        let result = try Self.run(["-r", path])
        #expect(result.output.split(separator: 10).allSatisfy(lines.contains))
        #expect(result.status == 5 && result.errorText.contains("given up"), "\(count)")
      }
    }
  }

  @Test(arguments: [UInt64(1), 2, 3])
  func `parts of other turns in a copy never make a line`(seed: UInt64) async throws {
    try await onOwnThread {
      let copy = try Copy("7.1")
      var ring = try readFile(copy.ring)
      var random = SeededGenerator(seed: seed)
      // The result of tearing: pieces of the log in the place of others.
      let whole = ring
      for _ in 0..<6 {
        let count = 4 * Int.random(in: 1...5000, using: &random)
        let from = 88 + 4 * Int.random(in: 0..<(whole.count - count - 88) / 4, using: &random)
        let to = 88 + 4 * Int.random(in: 0..<(whole.count - count - 88) / 4, using: &random)
        ring[to..<to + count] = whole[from..<from + count]
      }
      let folder = try TemporaryDirectory()
      let path = folder.file("_.Log.torn")
      try writeFile(path, ring)
      let searched = try Self.run(["-r", copy.ring, "--salvage"])
      let lines = Set(searched.output.split(separator: 10))
      #expect(lines.isSuperset(of: copy.lines.split(separator: 10)))
      for options in [[], ["--salvage"]] {
        let result = try Self.run(["-r", path] + options)
        let found = result.output.split(separator: 10)
        #expect(found.allSatisfy(lines.contains), "\(options)")
        #expect(result.status == 5 && result.errorText.contains("given up"))
        #expect(found.count > 50)
      }
    }
  }

  /// Damage that hides the order in which a ring's eighths were written.
  enum LostOrder: CaseIterable {
    case segmentSize, segmentNumber, allFirsts, newestRecord, newestLength, endMark

    func apply(to ring: inout [UInt8], end: Int, newest: Int) {
      func set(_ offset: Int, _ bytes: [UInt8]) { ring[offset..<offset + bytes.count] = bytes[...] }
      switch self {
      case .segmentSize: set(8, Array(repeating: 0xA5, count: 8))
      case .segmentNumber: set(16, [ring[16] ^ 3])
      case .allFirsts: set(24, Array(repeating: 0xFF, count: 64))
      // The mark of a batch's beginning.
      case .newestRecord: set(newest, [0xFF, 0x7F])
      // The length of the batch, which is now more than an eighth.
      case .newestLength: set(newest + 4, [0x40, 0x0D, 3, 0])
      case .endMark: set(end, [0, 0, 0, 0])
      }
    }
  }

  @Test(arguments: LostOrder.allCases)
  func `a ring whose newest place is hidden is salvaged in its order`(damage: LostOrder) async throws {
    try await onOwnThread {
      let copy = try Copy("7.1")
      var ring = try readFile(copy.ring)
      let mark: [UInt8] = [0x45, 0x45, 0x45, 0xFE]
      let end = try #require(
        stride(from: 112, to: ring.count, by: 4).first { ring[$0..<$0 + 4].elementsEqual(mark) })
      let current = Int(ring[16] & 7)
      let word = (0..<4).reduce(0) { $0 | Int(ring[24 + current * 8 + $1]) << ($1 * 8) }
      damage.apply(to: &ring, end: end, newest: 112 + word * 4)
      let folder = try TemporaryDirectory()
      let path = folder.file("_.Log.damaged")
      try writeFile(path, ring)
      let whole = try Self.run(["-r", copy.ring, "--salvage"]).output.split(separator: 10)
      let result = try Self.run(["-r", path, "--salvage"])
      let found = result.output.split(separator: 10)
      // Groups hit by the damage may be missing, or be completed at the end as incomplete; all others are
      // unchanged.
      #expect(
        found.count >= whole.count - 2 && found.count <= whole.count, "\(found.count) of \(whole.count)")
      #expect(found.difference(from: whole).count <= 3)
      #expect(result.status == 0 || result.status == 5)
      guard [.newestRecord, .newestLength].contains(damage) else { return }
      // Without `--salvage`, all that was written in front of the damage.
      let read = try Self.run(["-r", path]).output.split(separator: 10)
      #expect(read == copy.lines.split(separator: 10).prefix(read.count).map { Array($0)[...] })
      #expect(read.count > 200)
    }
  }
}
