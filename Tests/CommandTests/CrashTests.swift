import Compression
import Glibc
@testable import Platform
@testable import Shipping
import TestSupport
import Testing

#if DEBUG
  /// The program is killed between any two durable states of a rotation, and started again.
  ///
  /// Every line that was in a file is still there, once, none is torn, and every file has a valid name.
  @Suite(.serialized, .needs(.builtSpillway), .limit(minutes: 5))
  struct CrashTests {
    enum Kind: String, CaseIterable, CustomTestStringConvertible {
      case plain, gzip, zstd, namedByTime, gzipNamedByTime
      var testDescription: String { rawValue }

      var compression: CompressionFormat? {
        switch self {
        case .gzip, .gzipNamedByTime: .gzip
        case .zstd: .zstd
        case .plain, .namedByTime: nil
        }
      }
      var isCompressed: Bool { compression != nil }
      var isNamedByTime: Bool { self == .namedByTime || self == .gzipNamedByTime }
      var name: String { isNamedByTime ? "access-%s.log" : "access.log" }
    }

    /// Requests for paths that compression doesn't make much shorter.
    private struct Log {
      var bytes: [UInt8]
      var lines: [Substring] = []

      init(requests: Int, words: Int) {
        var generator = SeededGenerator(seed: 5)
        var builder = LogFileBuilder()
        for number in 1...requests {
          var line = "/\(number)/"
          for _ in 0..<words { line += String(generator.next(), radix: 36) }
          lines.append(line[...])
          builder.add(UInt64(number), .client, "Begin", "req 1 rxreq")
          builder.add(UInt64(number), .client, "ReqURL", line)
          builder.add(UInt64(number), .client, "End")
        }
        bytes = builder.bytes
      }
    }

    private static let log = Log(requests: 2000, words: 160)
    private static let short = Log(requests: 400, words: 10)

    /// The fault points that every rotation passes.
    static let rotation: [FaultPoint] = [
      .rotationFlushed, .rotationSynced, .rotationNoted, .rotationRenamed, .rotationDirectorySynced,
      .rotationClosed, .rotationMarked, .rotationOpened, .rotationBegun,
    ]

    private let directory: TestSupport.TemporaryDirectory
    private let home: TestSupport.TemporaryDirectory

    init() throws {
      directory = try TestSupport.TemporaryDirectory()
      home = try TestSupport.TemporaryDirectory()
      try writeFile(home.file("log"), Self.log.bytes)
      try writeFile(home.file("short"), Self.short.bytes)
    }

    private func command(_ kind: Kind, _ arguments: [String], point: String?) throws -> Command {
      let subject = try #require(Subject.builtWithTests)
      var all = ["-F", "%U", "-a", "-w", directory.file(kind.name)] + arguments
      if let format = kind.compression { all.append("--\(format)=1") }
      var command = subject.ncsa(all)
      command.environment = ["SPILLWAY_COMPAT": nil, "SPILLWAY_FAULT_POINT": point]
      return command
    }

    /// Runs until a fault point kills it.
    private func runToDeath(
      _ kind: Kind, _ point: FaultPoint, count: Int = 1, _ arguments: [String] = []
    ) throws -> OutputSnapshot {
      let rotation = ["-r", home.file("log"), "--rotate-size", kind.isCompressed ? "300K" : "500K"]
      let dying = try ProcessRunner.run(
        try command(kind, rotation + arguments, point: "\(point.rawValue):\(count)"))
      try #require(dying.end.signal == SIGKILL, "\(point.rawValue) was not passed: \(dying.errorText)")
      return try OutputSnapshot(directory, kind.compression)
    }

    /// Runs to the end, and checks that everything of this run was added to what had been there.
    private func runToEnd(
      _ kind: Kind, after before: OutputSnapshot, _ arguments: [String] = [], prunes: Bool = false
    ) throws {
      let rotation = ["-r", home.file("log"), "--rotate-size", kind.isCompressed ? "300K" : "500K"]
      let result = try ProcessRunner.run(try command(kind, rotation + arguments, point: nil))
      try check(kind, result, before, added: Self.log.lines, prunes: prunes)
    }

    private func check(
      _ kind: Kind, _ result: ProcessResult, _ before: OutputSnapshot, added: [Substring],
      prunes: Bool = false
    ) throws {
      #expect(result.status == 0, "\(result.errorText)")
      let after = try OutputSnapshot(directory, kind.compression)
      #expect(after.torn.map(\.name) == [])
      // A file whose torn part isn't even a valid beginning is begun anew without a message.
      let said = result.errorText.split(separator: "\n").filter { $0.contains(": cut ") }
      #expect(said.count == before.torn.count, "\(result.errorText)")
      for file in before.torn {
        #expect(said.contains { $0.contains("\(file.name): cut \(file.tornBytes) bytes of a torn") })
      }
      if prunes {
        #expect(Set(after.lines).isSubset(of: Set(added)))
      } else {
        var expected = before.lineCounts
        for line in added { expected[line, default: 0] += 1 }
        #expect(after.lineCounts == expected)
      }
      try checkNames(kind, after)
    }

    /// Every file is the current one or finished, and if it is compressed, valid.
    private func checkNames(_ kind: Kind, _ after: OutputSnapshot) throws {
      let naming = FileNaming(
        template: directory.file(kind.name), expandsTime: true, compression: kind.compression)
      var unfinished: [String] = []
      for file in after.files {
        if let format = kind.compression {
          var test = Command(format.rawValue, ["-tq"])
          test.input = .file(directory.file(file.name))
          #expect(try ProcessRunner.run(test).status == 0, "\(file.name)")
        }
        let isFinished = naming.age(ofFileName: file.name) != nil
        if !isFinished || (kind == .gzipNamedByTime && !file.name.hasSuffix(".gz")) {
          unfinished.append(file.name)
        }
      }
      #expect(unfinished.count <= 1, "\(unfinished)")
      if !kind.isNamedByTime { #expect(unfinished == ["access.log"]) }
    }

    @Test(arguments: rotation, [Kind.plain, .gzip, .zstd, .namedByTime])
    func `a kill between two steps of a rotation costs nothing`(point: FaultPoint, kind: Kind) async throws {
      try await onOwnThread {
        let before = try runToDeath(kind, point, count: 2)
        try runToEnd(kind, after: before)
      }
    }

    @Test(arguments: Kind.allCases)
    func `a kill in the middle of a write costs what was torn`(kind: Kind) async throws {
      try await onOwnThread {
        let point: FaultPoint = kind.isCompressed ? .memberHalfWritten : .lineHalfWritten
        let before = try runToDeath(kind, point, count: 4)
        #expect(before.torn.count == 1)
        try runToEnd(kind, after: before)
      }
    }

    @Test(arguments: [Kind.plain, .gzip, .zstd])
    func `a kill behind a repair costs nothing more`(kind: Kind) async throws {
      try await onOwnThread {
        let torn = try runToDeath(kind, kind.isCompressed ? .memberHalfWritten : .lineHalfWritten, count: 4)
        let before = try runToDeath(kind, .repairCut)
        #expect(before.torn.isEmpty)
        #expect(before.lineCounts == torn.lineCounts)
        try runToEnd(kind, after: before)
      }
    }

    /// The two sides of the change to a file's beginning.
    @Test(arguments: [FaultPoint.writeDone, .memberJoined], [Kind.gzip, .zstd])
    func `a kill beside the first member of a file leaves it readable`(
      point: FaultPoint, kind: Kind
    ) async throws {
      try await onOwnThread {
        let before = try runToDeath(kind, point)
        #expect(before.torn.isEmpty)
        #expect(before.lines.count > 0)
        try runToEnd(kind, after: before)
      }
    }

    @Test(arguments: Kind.allCases)
    func `a kill between two deletions leaves whole files, and as few in the end`(kind: Kind) async throws {
      try await onOwnThread {
        let before = try runToDeath(kind, .rotationPruned, ["--keep", "2"])
        try runToEnd(kind, after: before, ["--keep", "2"], prunes: true)
        #expect(directoryEntries(directory.path).count <= 3)
      }
    }

    /// The fault points after which a finished file waits for its command.
    private static let waiting: [FaultPoint] = [
      .rotationNoted, .rotationRenamed, .rotationDirectorySynced, .rotationClosed, .rotationOpened,
      .commandNoted,
    ]

    @Test(arguments: waiting, [Kind.plain, .gzipNamedByTime])
    func `a kill leaves no finished file without its command`(point: FaultPoint, kind: Kind) async throws {
      try await onOwnThread {
        let record = home.file("record")
        let command = ["--post-rotate", "echo \"$1\" >> '\(record)'"]
        _ = try runToDeath(kind, point, count: 2, command)
        // A run ends without waiting for all commands; later runs take up the rest.
        let isDone = try poll(until: .after(.seconds(60))) { () throws(SupportError) in
          do {
            _ = try ProcessRunner.run(
              try self.command(
                kind, ["-r", home.file("short"), "--rotate-size", "1G"] + command, point: nil))
          } catch {
            throw SupportError("\(error)")
          }
          let recorded = Set((try? readText(record))?.split(separator: "\n").map(String.init) ?? [])
          let finished = directoryEntries(directory.path).filter { name in
            kind == .plain ? name != "access.log" : name.hasSuffix(".gz")
          }
          return !finished.isEmpty && recorded.isSuperset(of: finished.map(directory.file))
        }
        #expect(isDone)
      }
    }

    @Test(arguments: [FaultPoint.linkMade, .linkRenamed], [Kind.plain, .gzipNamedByTime])
    func `a kill beside the link leaves none that leads nowhere`(point: FaultPoint, kind: Kind) async throws {
      try await onOwnThread {
        let link = directory.file("current")
        let before = try runToDeath(kind, point, ["--symlink", link])
        try runToEnd(kind, after: before, ["--symlink", link])
        let links = directoryEntries(directory.path).filter { $0.hasPrefix("current") }
        #expect(links == ["current"])
        #expect(access(link, F_OK) == 0)
      }
    }

    /// Files end with a period of time instead of at a size.
    @Test(arguments: rotation, [Kind.namedByTime, .gzipNamedByTime])
    func `a kill when a period ends costs nothing`(point: FaultPoint, kind: Kind) async throws {
      // A plain file that ends with its period keeps its name.
      guard point != .rotationRenamed || kind.isCompressed else { return }
      try await onOwnThread {
        // The first file is opened without a rotation.
        let count = point == .rotationOpened || point == .rotationBegun ? 3 : 2
        let half = Array(Self.short.bytes.prefix(Self.short.bytes.count / 2))
        let limit = Deadline.after(.seconds(60))
        var before: OutputSnapshot
        repeat {
          // On a busy machine a period may end before its first line is written; such a run proves nothing.
          try #require(!limit.hasPassed)
          let fifo = home.file("fifo")
          unlink(fifo)
          try #require(mkfifo(fifo, 0o600) == 0)
          let feed = open(fifo, O_RDWR | O_CLOEXEC)
          defer { close(feed) }
          // A log that isn't complete: half of it is there, and the pipe stays open.
          try #require(Glibc.write(feed, half, half.count) == half.count)
          let child = try ChildProcess(
            try command(kind, ["-r", fifo, "--rotate-every", "1s"], point: "\(point.rawValue):\(count)"))
          let end = try child.wait(by: .after(.seconds(20)))
          try #require(end.signal == SIGKILL, "\(point.rawValue) was not passed")
          before = try OutputSnapshot(directory, kind.compression)
        } while before.lines.isEmpty
        let result = try ProcessRunner.run(
          try command(kind, ["-r", home.file("short"), "--rotate-every", "1s"], point: nil))
        try check(kind, result, before, added: Self.short.lines)
      }
    }
  }
#endif
