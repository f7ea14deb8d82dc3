import TestSupport
import Testing

/// Real logs of 2.1 and 3.0, which have no transactions, and the output of those releases' own programs.
@Suite(.needs(.spillway))
struct OldLogTests {
  struct Command: Sendable, CustomTestStringConvertible {
    let version: String
    /// The name of the file with the expected output.
    let name: String
    let arguments: [String]

    var testDescription: String { "\(name) of \(version)" }
    var isLog: Bool { name.hasPrefix("log-") && name != "log-keys" }
  }

  static let commands = [
    Command(version: "2.1", name: "default", arguments: []),
    Command(version: "2.1", name: "without-status", arguments: ["-x", "TxStatus"]),
    Command(version: "2.1", name: "first", arguments: ["-k", "300"]),
    Command(version: "2.1", name: "log-grouped", arguments: ["-o"]),
    Command(version: "2.1", name: "log-tags", arguments: ["-i", "RxURL,TxStatus"]),
    Command(version: "2.1", name: "log-matching", arguments: ["-c", "-o", "TxStatus", "500"]),
    Command(version: "3.0", name: "default", arguments: []),
    Command(version: "3.0", name: "letters", arguments: ["-F", "%b|%D|%H|%h|%l|%m|%q|%r|%s|%t|%T|%u|%U"]),
    Command(
      version: "3.0", name: "varnish",
      arguments: ["-F", "%{Varnish:time_firstbyte}x|%{Varnish:hitmiss}x|%{Varnish:handling}x"]),
    Command(
      version: "3.0", name: "log-keys",
      arguments: [
        "-F",
        ["tenant", "xlog", "dup", "empty", "missing", "case-Key", "CASE-KEY", "cache", "beresp"]
          .map { "%{VCL_Log:\($0)}x" }.joined(separator: "|"),
      ]),
    Command(version: "3.0", name: "matching", arguments: ["-m", "RxURL:^/page/1"]),
    Command(version: "3.0", name: "log-grouped", arguments: []),
    Command(version: "3.0", name: "log-expression", arguments: ["-I", "esi"]),
    Command(version: "3.0", name: "log-matching", arguments: ["-m", "TxStatus:404"]),
  ]

  @Test(arguments: commands)
  func `every command gives the release's bytes`(command: Command) async throws {
    try await onOwnThread {
      let fixture = try Fixture.named("old-\(command.version)")
      let result = try Self.run(
        ["--compat", command.version, "-r", fixture.path("capture.vsl")] + command.arguments,
        isLog: command.isLog)
      #expect(result.status == 0, "\(result.errorText)")
      #expect(Self.comparable(result.output, command.isLog) == (try fixture.bytes("\(command.name).out")))
    }
  }

  @Test(arguments: ["2.1", "3.0"])
  func `the generation is found out, also in a pipe and behind gzip`(version: String) async throws {
    try await onOwnThread {
      let fixture = try Fixture.named("old-\(version)")
      let expected = try Self.run(["-r", fixture.path("capture.vsl")])
      #expect(expected.status == 0, "\(expected.errorText)")
      #expect(expected.text.split(separator: "\n").count > 500)
      let zipped = try TemporaryDirectory()
      let path = zipped.file("log.gz")
      try writeFile(path, try Compressor.gzip.compress(try fixture.bytes("capture.vsl")))
      #expect(try Self.run(["-r", path]).output == expected.output)
      var piped = try Self.command(["-r", "-"])
      piped.input = .bytes(try fixture.bytes("capture.vsl"))
      #expect(try ProcessRunner.run(piped).output == expected.output)
    }
  }

  /// Queries are applied to the transactions that are made from the records.
  @Test(arguments: ["2.1", "3.0"])
  func `queries, JSON and templates mean what they mean in later logs`(version: String) async throws {
    try await onOwnThread {
      let fixture = try Fixture.named("old-\(version)")
      let log = ["-r", fixture.path("capture.vsl")]
      let all = try Self.run(["--compat", "7.1"] + log + ["-F", "%s"]).text.split(separator: "\n")
      let wanted = all.filter { $0 == "404" }.count
      let found = try Self.run(log + ["-q", "RespStatus == 404", "-j", "-F", #"{"s":%s,"u":"%U"}"#])
      #expect(found.status == 0, "\(found.errorText)")
      let lines = found.text.split(separator: "\n")
      #expect(wanted > 0 && lines.count == wanted)
      #expect(lines.allSatisfy { $0.hasPrefix(#"{"s":404,"u":"/"#) })
      // Records that don't form a request give no line in a template.
      let json = try Self.run(log + ["--format", "json", "-q", "not HttpGarbage"])
      let asked = try Self.run(["--compat", "7.1"] + log + ["-F", "%s", "-q", "not HttpGarbage"])
      #expect(json.text.split(separator: "\n").count == asked.text.split(separator: "\n").count)
      // Each fetch is grouped with its request.
      let groups = try Self.run(log + ["-g", "request", "-q", "ReqMethod and BereqURL"], isLog: true)
      #expect(groups.text.contains("<< BeReq    >>") && groups.text.contains("Link           bereq"))
    }
  }

  @Test(arguments: ["2.1", "3.0"])
  func `of a log that is cut anywhere, every line in front of the cut comes`(version: String) async throws {
    try await onOwnThread {
      let fixture = try Fixture.named("old-\(version)")
      let whole = try fixture.bytes("capture.vsl")
      let lines = try Self.run(["-r", fixture.path("capture.vsl")]).output
      let directory = try TemporaryDirectory()
      var countBefore = 0
      for cut in stride(from: 4, to: 60_000, by: 1997) {
        try writeFile(directory.file("cut.vsl"), Array(whole[..<cut]))
        let result = try Self.run(["-r", directory.file("cut.vsl")])
        #expect(result.status == 0 || result.status == 1, "\(cut): \(result.errorText)")
        #expect(lines.starts(with: result.output), "\(cut)")
        #expect(result.output.count >= countBefore, "\(cut)")
        countBefore = result.output.count
      }
      #expect(countBefore > 1000)
    }
  }

  @Test func `what is no log is refused as ever`() async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      for bytes in [
        Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8), Array(repeating: 0, count: 5000),
        (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 7919 &+ $0 >> 3) },
      ] {
        try writeFile(directory.file("other"), bytes)
        let result = try Self.run(["-r", directory.file("other")])
        #expect(result.status == 1)
        #expect(result.errorText.contains("Not a VSL file: "))
      }
    }
  }

  private static func comparable(_ output: [UInt8], _ isLog: Bool) -> [UInt8] {
    guard !isLog else { return output }
    let lines = output.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let kept = lines.filter { !String(decoding: $0, as: UTF8.self).contains("/pass/auth") }
    return Array(kept.joined(separator: [UInt8(ascii: "\n")]))
  }

  private static func command(_ arguments: [String], isLog: Bool = false) throws -> TestSupport.Command {
    let subject = try Subject.found()
    var command = isLog ? subject.log(arguments) : subject.ncsa(arguments)
    command.environment = ["TZ": "UTC", "LC_ALL": "C", "SPILLWAY_COMPAT": nil]
    return command
  }

  private static func run(_ arguments: [String], isLog: Bool = false) throws -> ProcessResult {
    try ProcessRunner.run(command(arguments, isLog: isLog))
  }
}
