import Glibc
import TestSupport
import Testing

/// `spillway convert`, `--merge` and `--salvage`.
@Suite(.needs(.spillway))
struct ConvertTests {
  private static func run(_ arguments: [String]) throws -> ProcessResult {
    var command = TestSupport.Command(try Subject.found().path, arguments)
    command.environment = ["TZ": "UTC", "LC_ALL": "C", "SPILLWAY_COMPAT": nil]
    return try ProcessRunner.run(command)
  }

  @Test(arguments: OracleTests.versions)
  func `converted to other generations and back, a log gives the same lines`(version: String) async throws {
    try await onOwnThread {
      let capture = try Fixture.named(version).path("capture.vsl")
      let folder = try TemporaryDirectory()
      let (there, back) = (folder.file("there.vsl"), folder.file("back.vsl"))
      let expected = try Self.run(["ncsa", "-r", capture])
      #expect(try Self.run(["convert", capture]).output == expected.output)
      for other in ["4.0", "4.1", "7.3", "9.0"] {
        let first = try Self.run(["convert", capture, "--to", "vsl", "--as", other, "-w", there])
        #expect(first.status == 0, "\(first.errorText)")
        let second = try Self.run(["convert", there, "--to=vsl", "--as", version, "-w", back])
        #expect(second.status == 0, "\(second.errorText)")
        #expect(try Self.run(["ncsa", "-r", back]).output == expected.output, "\(other)")
      }
      // Converting a log to its own format loses nothing, not even records without a transaction.
      let same = try Self.run(["convert", capture, "--to", "vsl", "--as", version])
      try writeFile(back, same.output)
      let text = ["-g", "raw"]
      #expect(
        try Self.run(["log", "-r", back] + text).output
          == (try Self.run(["convert", capture, "--to", "log"] + text).output))
    }
  }

  @Test func `what a generation doesn't have is counted and said`() throws {
    let folder = try TemporaryDirectory()
    let path = folder.file("log.vsl")
    try LogFileBuilder(lines: "2 c Begin req 1 rxreq\n2 c BackendReuse 5 a\n2 c ReqURL /a\n2 c End").write(
      to: path)
    let result = try Self.run(["convert", path, "--to", "vsl", "--as", "8.0", "-w", folder.file("out")])
    #expect(result.status == 0)
    #expect(
      result.errorText
        == "spillway: \(path): 1 record of BackendReuse left out: logs of 7.3 to 8.0 have no such tag\n")
    let own = try Self.run(["convert", path, "--to", "vsl", "--as", "8.0", "-w", path])
    #expect(own.status == 1 && own.errorText == "spillway: -w: \"\(path)\" is an input\n")
  }

  /// Two logs whose requests ended alternately.
  static let timedLogs = [
    timedLog([(1, "/a1"), (5, "/a5"), (nil, "/a-none"), (9, "/a9")]),
    timedLog([(2, "/b2"), (7, "/b7"), (3, "/b3-late")]),
  ]
  /// The requests of both logs in the order of their ends.
  static let merged = "/a1\n/b2\n/a5\n/a-none\n/b7\n/b3-late\n/a9\n"

  private static func timedLog(_ requests: [(second: Int?, url: String)]) -> LogFileBuilder {
    var log = LogFileBuilder()
    for (index, request) in requests.enumerated() {
      let vxid = UInt64(2 * index + 2)
      log.add(vxid, .client, "Begin", "req 1 rxreq")
      log.add(vxid, .client, "ReqURL", request.url)
      if let second = request.second {
        log.add(vxid, .client, "Timestamp", "Resp: \(1_700_000_000 + second).500000 0.1 0.1")
      }
      log.add(vxid, .client, "End")
    }
    return log
  }

  @Test func `merged logs come in the order in which their transactions ended`() throws {
    let folder = try TemporaryDirectory()
    let (first, second) = (folder.file("a"), folder.file("b"))
    try Self.timedLogs[0].write(to: first)
    try Self.timedLogs[1].write(to: second)
    let result = try Self.run(["ncsa", "-r", first, "-r", second, "--merge", "-F", "%U"])
    #expect(result.text == Self.merged)
    let raw = try Self.run(["log", "-r", first, "-r", second, "--merge", "-g", "raw"])
    #expect(
      raw.status == 1
        && raw.errorText == "spillway: --merge puts transactions in order; -g raw shows records\n")
  }

  /// How many places are damaged, one after the other; the environment variable raises it for a full check.
  private static let damageCount = getenv("SPILLWAY_DAMAGES").flatMap { Int(String(cString: $0)) } ?? 60

  @Test(arguments: ["5.2", "7.1", "9.0"])
  func `salvaged, a damaged log gives its whole transactions and no others`(version: String) async throws {
    try await onOwnThread {
      let whole = try Fixture.named(version).bytes("capture.vsl")
      let expected = try Fixture.named(version).bytes("default.out").split(separator: 10)
      let lines = Set(expected)
      var random = SeededGenerator(seed: 997)
      let folder = try TemporaryDirectory()
      let path = folder.file("damaged.vsl")
      for _ in 0..<Self.damageCount {
        var bytes = whole
        let count = Int.random(in: 1...400, using: &random)
        let start = Int.random(in: 0..<bytes.count - count, using: &random)
        if Bool.random(using: &random) {
          bytes.replaceSubrange(start..<start + count, with: [UInt8](repeating: 0, count: count))
        } else {
          bytes.removeSubrange(start..<start + count)
        }
        try writeFile(path, bytes)
        let result = try Self.run(["ncsa", "--compat", version, "-r", path, "--salvage"])
        let found = result.output.split(separator: 10)
        #expect(found.allSatisfy(lines.contains), "\(start) \(count)")
        #expect(found.count > expected.count - 20, "\(start) \(count)")
        #expect(result.status == 5 || result.status == 0, "\(result.errorText)")
      }
    }
  }

  @Test(arguments: ["7.1", "8.0"])
  func `cut or with any byte changed, a log is read to the damage and no further than it can be`(
    version: String
  ) async throws {
    try await onOwnThread {
      let file = try Fixture.named(version).bytes("capture.vsl")
      let ring = try readFile(try CopiedLogTests.Copy(version).ring)
      let folder = try TemporaryDirectory()
      let path = folder.file("damaged")
      var random = SeededGenerator(seed: 10_000)
      for whole in [file, ring] {
        for index in 0..<Self.damageCount {
          var bytes = whole
          if index % 2 == 0 {
            bytes.removeLast(997 * Int.random(in: 0..<bytes.count / 997, using: &random))
          } else {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
          }
          try writeFile(path, bytes)
          for options in [[], ["--salvage"]] {
            let result = try Self.run(["ncsa", "-r", path] + options)
            #expect([0, 1, 5].contains(result.status), "\(result.end) \(result.errorText)")
          }
        }
      }
    }
  }
}
