import Foundation
import LogReading
import TestSupport
import Testing

/// The programs for which templates are made read the output correctly, even if clients try to forge lines.
@Suite(.needs(.spillway))
struct ReaderTests {
  private static let hostile = HostileLog(withMethods: true)
  /// For programs that skip lines with unknown methods.
  private static let tame = HostileLog(withMethods: false)

  /// Writes a log's lines, formatted with a template, to a file.
  private static func write(_ template: String, _ log: HostileLog, in directory: TemporaryDirectory) throws
    -> String
  {
    let path = directory.file("\(template).log")
    let result = try Subject.found().run(over: log.log, ["--format", template, "-w", path])
    try #require(result.status == 0, "\(result.errorText)")
    return path
  }

  private static func run(
    _ program: String, _ arguments: [String], home: TemporaryDirectory, input: Command.Input = .null
  ) throws -> ProcessResult {
    var command = Command(program, arguments)
    command.environment = ["HOME": home.path, "TZ": "UTC", "LC_ALL": "C.UTF-8", "XDG_CONFIG_HOME": nil]
    command.input = input
    return try ProcessRunner.run(command, limit: .seconds(120))
  }

  private static let goAccessFormat = [
    #"--log-format=%h %^ %e [%d:%t %^] "%r" %s %b "%R" "%u" %D "%C""#, "--date-format=%d/%b/%Y",
    "--time-format=%T",
  ]

  static let goAccess: [(String, [String])] = [
    ("vhost_combined", ["--log-format=VCOMBINED"]), ("nginx", ["--log-format=COMBINED"]),
    ("awstats", ["--log-format=COMBINED"]), ("goaccess", goAccessFormat), ("w3c", ["--log-format=W3C"]),
    ("cloudfront", ["--log-format=CLOUDFRONT"]),
  ]

  @Test(arguments: goAccess)
  func `GoAccess takes every line, and finds one visitor`(template: String, format: [String]) async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let log = template == "w3c" || template == "cloudfront" ? Self.tame : Self.hostile
      let path = try Self.write(template, log, in: directory)
      let report = directory.file("report.json")
      let result = try Self.run(
        "goaccess", [path] + format + ["--no-global-config", "--no-progress", "-o", report], home: directory)
      try #require(result.status == 0, "\(result.errorText)")
      // GoAccess splits escapes with percent signs, so its report isn't always UTF-8.
      let object = try JSONSerialization.jsonObject(with: Data(readText(report).utf8)) as? [String: Any]
      let general = try #require(object?["general"] as? [String: Any])
      #expect(general["valid_requests"] as? Int == log.count)
      #expect(general["failed_requests"] as? Int == 0)
      let hosts = (object?["hosts"] as? [String: Any])?["data"] as? [[String: Any]]
      #expect(hosts?.compactMap { $0["data"] as? String } == [HostileLog.address])
    }
  }

  static let awStats: [(String, String)] = [
    ("awstats", "1"), ("nginx", "1"), ("w3c", "2"),
    (
      "vhost_combined",
      #""%virtualname %host %other %logname %time1 %methodurl %code %bytesd %refererquot %uaquot""#
    ),
  ]

  /// AWStats's output for a file, and the hosts that it has counted.
  private static func runAWStats(
    on path: String, format: String, in directory: TemporaryDirectory
  ) throws -> (report: String, visitors: [Substring]) {
    try writeFile(
      directory.file("awstats.test.conf"),
      """
      LogFile="\(path)"
      LogType=W
      LogFormat=\(format)
      SiteDomain="www.example.com"
      HostAliases="REGEX[.*]"
      DirData="\(directory.path)"
      DNSLookup=0

      """.utf8)
    let result = try run(
      "perl",
      [
        "/usr/lib/cgi-bin/awstats.pl", "-config=test", "-configdir=\(directory.path)", "-update",
        "-showcorrupted",
      ],
      home: directory)
    let data = try readText(directory.file("awstats112023.test.txt")).split(separator: "\n")
    let visitors = data.drop { !$0.hasPrefix("BEGIN_VISITOR ") }.dropFirst().prefix { $0 != "END_VISITOR" }
    return (result.text, visitors.compactMap { $0.split(separator: " ").first })
  }

  @Test(arguments: awStats)
  func `AWStats finds no line corrupted, and one visitor`(template: String, format: String) async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let path = try Self.write(template, Self.tame, in: directory)
      let (report, visitors) = try Self.runAWStats(on: path, format: format, in: directory)
      #expect(report.contains("Found 0 corrupted records"), "\(report.prefix(2000))")
      #expect(report.contains("Found \(Self.tame.count) new qualified records"), "\(report.suffix(500))")
      #expect(visitors.map(String.init) == [HostileLog.address])
    }
  }

  @Test func `AWStats finds lines of combined corrupted, as the manual says`() async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let path = try Self.write("combined", Self.tame, in: directory)
      let (report, _) = try Self.runAWStats(on: path, format: "1", in: directory)
      #expect(!report.contains("Found 0 corrupted records"))
    }
  }

  static let lnav: [(String, String)] = [
    ("vhost_combined", "SELECT c_ip AS client, count(*) AS lines FROM access_log GROUP BY c_ip"),
    ("nginx", "SELECT c_ip AS client, count(*) AS lines FROM access_log GROUP BY c_ip"),
    ("awstats", "SELECT c_ip AS client, count(*) AS lines FROM access_log GROUP BY c_ip"),
    ("w3c", "SELECT c_ip AS client, count(*) AS lines FROM w3c_log GROUP BY c_ip"),
    (
      "logfmt",
      """
      SELECT jget(fields, '/client') AS client, count(jget(fields, '/referer')) AS lines FROM logfmt_log \
      GROUP BY jget(fields, '/client')
      """
    ),
  ]

  @Test(arguments: lnav)
  func `lnav knows the format, and reads the columns of every line`(template: String, query: String)
    async throws
  {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let log = template == "w3c" || template == "logfmt" ? Self.hostile : Self.tame
      let path = try Self.write(template, log, in: directory)
      let result = try Self.run(
        "lnav", ["-n", "-c", ";\(query)", "-c", ":write-json-to -", path], home: directory)
      let rows = try JSONSerialization.jsonObject(with: Data(result.output)) as? [[String: Any]]
      #expect(rows?.count == 1, "\(result.text)")
      #expect(rows?.first?["client"] as? String == HostileLog.address)
      #expect(rows?.first?["lines"] as? Int == log.count)
    }
  }

  private static let requestAndRest = #"\S+ \S+ \[\] "\S+ \S+ HTTP/[\d.]+" 200 \d+ "[^"]*" "[^"]*""#

  static let failToBan: [(String, String)] = [
    ("vhost_combined", #"^\S+:\d+ <HOST> \#(requestAndRest)$"#), ("nginx", "^<HOST> \(requestAndRest)$"),
    ("awstats", "^<HOST> \(requestAndRest)$"), ("goaccess", #"^<HOST> \#(requestAndRest) \d+ "\w+"$"#),
  ]

  @Test(arguments: failToBan)
  func `fail2ban's filter matches every line, and bans who sent it`(template: String, filter: String)
    async throws
  {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let path = try Self.write(template, Self.hostile, in: directory)
      let result = try Self.run("fail2ban-regex", ["-o", "ip", path, filter], home: directory)
      let addresses = result.text.split(separator: "\n")
      #expect(addresses.count == Self.hostile.count, "\(result.text.suffix(500))\(result.errorText)")
      #expect(Set(addresses) == [HostileLog.address[...]])
    }
  }

  @Test(arguments: [("json", 18), ("ecs", 13), ("otel", 6)])
  func `jq reads every line, and finds the same members`(template: String, members: Int) async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let path = try Self.write(template, Self.hostile, in: directory)
      let result = try Self.run("jq", ["-c", "keys | length", path], home: directory)
      #expect(result.status == 0, "\(result.errorText)")
      #expect(result.text == String(repeating: "\(members)\n", count: Self.hostile.count))
    }
  }

  @Test func `jq reads every line of -j, with and without quotation marks`() async throws {
    try await onOwnThread {
      let directory = try TemporaryDirectory()
      let path = directory.file("lines.json")
      let format =
        #"{"m":%m,"u":%U,"q":%q,"h":%h,"r":%r,"user":%u,"p":%H,"host":%{Host}i,"x":[%{X-Forwarded-For}i,%{Age}o],"t":%t,"#
        + #""ua":"%{User-Agent}i","all":"%m %U%q %H"}"#
      let made = try Subject.found().run(over: Self.hostile.log, ["-j", "-F", format, "-w", path])
      try #require(made.status == 0, "\(made.errorText)")
      let result = try Self.run("jq", ["-c", "keys | length", path], home: directory)
      #expect(result.status == 0, "\(result.errorText)")
      #expect(result.text == String(repeating: "12\n", count: Self.hostile.count))
    }
  }
}
