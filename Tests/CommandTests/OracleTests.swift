import TestSupport
import Testing

/// Real logs of six releases, rendered as each release's own varnishncsa rendered them.
@Suite(.needs(.spillway))
struct OracleTests {
  struct Command: Sendable, CustomTestStringConvertible {
    /// The name of the file with the expected output.
    var name: String
    var arguments: [String]
    var zone = "UTC"
    /// The first release whose varnishncsa accepts the command.
    var since = "5.2"

    var testDescription: String { name }
  }

  static let versions = ["5.2", "6.0", "7.1", "7.3", "8.0", "9.0"]

  private static let letters = "%b|%D|%H|%h|%I|%l|%m|%O|%q|%r|%s|%t|%T|%u|%U"
  private static let requestHeaders = [
    "Host", "host", "User-Agent", "Referer", "X-Multi", "X-Empty", "X-Missing", "X-Remove",
    "X-Change", "X-Rewritten", "X-Odd", "X-Long", "Cookie", "Authorization", "X-Forwarded-For",
  ]
  private static let responseHeaders = [
    "Content-Type", "X-Cache", "Set-Cookie", "X-Dup", "X-Empty", "X-Colon", "X-From", "X-Secret",
    "Server-Time", "X-Latin", "X-Utf8", "X-Quote", "X-Tab", "Location", "Age", "X-Varnish",
    "Content-Length", "Transfer-Encoding", "Connection",
  ]
  private static let headerRules =
    "%{Host:first}i|%{Host:last}i|%{Host}i|%{X-Change:first}i|%{X-Change:last}i|%{X-Dup:first}o"
    + "|%{X-Dup:last}o|%{Server-Time:first}o|%{Server-Time:last}o|%{X-From:first}o|%{X-From:last}o"
  private static let cache =
    "%{Varnish:time_firstbyte}x|%{Varnish:hitmiss}x|%{Varnish:handling}x|%{Varnish:side}x"
    + "|%{Varnish:vxid}x"
  private static let records =
    "%{VSL:ReqHeader:User-Agent}x|%{VSL:RespHeader:content-type[1]}x|%{VSL:RespHeader:X-Varnish[2]}x"
    + "|%{VSL:VCL_Log:xlog[2]}x|%{VSL:ReqURL}x|%{VSL:Timestamp[255]}x|%{VSL:timestamp:resp[1]}x"
    + "|%{VSL:RespStatus}x|%{VSL:End}x"
  private static let backendRecords =
    "%{VSL:Timestamp:Beresp[2]}x|%{VSL:Timestamp:BerespBody[3]}x|%{VSL:BereqAcct[4]}x"
    + "|%{VSL:BackendOpen[2]}x|%{VSL:TTL[2]}x|%{VSL:Fetch_Body[2]}x|%{VSL:FetchError}x"
    + "|%{VSL:Begin[2]}x|%{VSL:Length}x"
  private static let logKeys = [
    "quote", "backslash", "utf8", "tab", "newline", "spaces", "json", "html", "long",
  ]
  private static let short = "%{Varnish:vxid}x %m %U%q %s"
  private static let sided = "%{Varnish:side}x \(short)"
  private static let jsonLine =
    #"{"h":"%h","t":"%{%Y-%m-%dT%H:%M:%S}t","ms":%{msec_frac}t,"m":"%m","u":"%U","q":"%q","H":"%H""#
    + #","s":%s,"b":%b,"I":%I,"O":%O,"D":%D,"user":"%u","ttfb":%{Varnish:time_firstbyte}x"#
    + #","hm":"%{Varnish:hitmiss}x","hd":"%{Varnish:handling}x","vxid":%{Varnish:vxid}x"#
    + #","ref":"%{Referer}i","ua":"%{User-agent}i","odd":"%{X-Odd}i","log":"%{VCL_Log:xlog}x""#
    + #","quote":"%{VCL_Log:quote}x","utf8":"%{VCL_Log:utf8}x","bs":"%{VCL_Log:backslash}x""#
    + #","hash":"%{VSL:Hash}x"}"#

  static let commands = [
    Command(name: "default", arguments: []),
    Command(name: "backend", arguments: ["-b"]),
    Command(name: "letters", arguments: ["-F", letters]),
    Command(name: "letters-backend", arguments: ["-b", "-F", letters]),
    Command(
      name: "request-headers",
      arguments: ["-F", requestHeaders.map { "%{\($0)}i" }.joined(separator: "|")]),
    Command(
      name: "response-headers",
      arguments: ["-F", responseHeaders.map { "%{\($0)}o" }.joined(separator: "|")]),
    Command(name: "header-rules", arguments: ["-F", headerRules]),
    Command(name: "varnish", arguments: ["-F", cache]),
    Command(
      name: "default-format", arguments: ["-F", "X %{Varnish:default_format}x Y"], since: "8.0"),
    Command(
      name: "log-keys",
      arguments: ["-F", logKeys.map { "%{VCL_Log:\($0)}x" }.joined(separator: "|")]),
    Command(
      name: "backend-log-keys",
      arguments: ["-b", "-F", "%{VCL_Log:befetch}x|%{VCL_Log:beresp}x"]),
    Command(name: "records", arguments: ["-F", records]),
    Command(name: "backend-records", arguments: ["-b", "-F", backendRecords]),
    Command(
      name: "time-units",
      arguments: ["-F", "%{sec}t|%{msec}t|%{usec}t|%{msec_frac}t|%{usec_frac}t"]),
    Command(
      name: "duration-units", arguments: ["-F", "%{s}T|%{ms}T|%{us}T|%T|%D"], since: "6.0"),
    Command(
      name: "timezone", arguments: ["-F", "%t|%{%Y-%m-%d %H:%M %z %Z}t|%{usec}t"],
      zone: "Asia/Kolkata"),
    Command(name: "esi", arguments: ["-E"], since: "7.1"),
    Command(name: "both-sides-esi", arguments: ["-E", "-b", "-F", sided], since: "7.1"),
    Command(
      name: "request-esi", arguments: ["-E", "-g", "request", "-F", short], since: "7.1"),
    Command(name: "request-both", arguments: ["-g", "request", "-b", "-c", "-F", sided]),
    Command(name: "json", arguments: ["-j"], since: "7.1"),
    Command(name: "json-line", arguments: ["-j", "-b", "-c", "-F", jsonLine], since: "7.1"),
    Command(name: "escapes", arguments: ["-F", #"a\tb\n%s\\%m\x\"%U\%"#]),
    Command(name: "empty-name", arguments: ["-F", "%{}i"]),
  ]

  @Test(arguments: versions)
  func `every command on a file gives the release's bytes`(version: String) async throws {
    try await onOwnThread {
      let fixture = try Fixture.named(version)
      for command in Self.commands where command.since <= version {
        let expected = try fixture.bytes("\(command.name).out")
        try #require(!expected.isEmpty)
        let result = try Self.run(
          ["-r", fixture.path("capture.vsl")], command.arguments, version, zone: command.zone)
        Self.compare(result, expected, "\(command.name) by \(version)")
      }
    }
  }

  @Test(arguments: versions)
  func `a log in a pipe gives what it gives in a file`(version: String) async throws {
    try await onOwnThread {
      let fixture = try Fixture.named(version)
      var command = try Self.command(["-r", "-"], [], version)
      command.input = .bytes(try fixture.bytes("capture.vsl"))
      let result = try ProcessRunner.run(command)
      Self.compare(result, try fixture.bytes("default.out"), version)
    }
  }

  /// Without a version, the rules of the log's own generation apply.
  @Test(arguments: ["7.1", "8.0", "9.0"])
  func `the generation is found out from the log`(version: String) async throws {
    try await onOwnThread {
      let fixture = try Fixture.named(version)
      let result = try Self.run(["-r", fixture.path("capture.vsl")], [], nil)
      #expect(result.output == (try fixture.bytes("default.out")))
    }
  }

  /// With `--from`, the rules of the given release apply.
  ///
  /// JSON is then valid, unlike that of some releases.
  @Test(arguments: versions)
  func `a log whose release is told gives that release's bytes`(version: String) async throws {
    try await onOwnThread {
      let fixture = try Fixture.named(version)
      for command in Self.commands where command.since <= version && !command.name.hasPrefix("json") {
        let result = try Self.run(
          ["--from", version, "-r", fixture.path("capture.vsl")], command.arguments, nil, zone: command.zone)
        Self.compare(
          result, try fixture.bytes("\(command.name).out"), "\(command.name) of \(version)")
      }
    }
  }

  static let liveCommands = [
    Command(name: "default", arguments: []),
    Command(name: "request", arguments: ["-g", "request"]),
    Command(name: "both-sides", arguments: ["-b", "-c"]),
  ]

  @Test(arguments: ["7.1", "8.0"], liveCommands)
  func `a copied instance whose writer is dead can be read`(
    version: String, command: Command
  ) async throws {
    try await onOwnThread {
      let fixture = try Fixture.named("frozen-\(version)")
      let result = try Self.run(
        ["-d", "-n", fixture.path("instance")], command.arguments, version)
      let expected = try fixture.bytes("\(command.name).out")
      #expect(result.status == 0, "\(result.errorText)")
      #expect(result.output == expected)
    }
  }

  private static func command(
    _ input: [String], _ arguments: [String], _ version: String?, zone: String = "UTC"
  ) throws -> TestSupport.Command {
    let rules = version.map { ["--compat", $0] } ?? []
    var command = try Subject.found().ncsa(rules + input + arguments)
    command.environment = ["TZ": zone, "LC_ALL": "C", "SPILLWAY_COMPAT": nil]
    return command
  }

  private static func run(
    _ input: [String], _ arguments: [String], _ version: String?, zone: String = "UTC"
  ) throws -> ProcessResult {
    try ProcessRunner.run(command(input, arguments, version, zone: zone))
  }

  private static func compare(
    _ result: ProcessResult, _ expected: [UInt8], _ what: String
  ) {
    #expect(result.status == 0, "\(what): \(result.errorText)")
    #expect(result.errorText.isEmpty, "\(what)")
    guard result.output != expected else { return }
    let pairs = zip(
      result.text.split(separator: "\n"), String(decoding: expected, as: UTF8.self).split(separator: "\n"))
    let first = pairs.first { $0 != $1 }
    Issue.record("\(what): \(first.map { "got \($0), expected \($1)" } ?? "another number of lines")")
  }
}
