import Glibc
import LogReading
@testable import Metrics
import TestSupport
import Testing

/// `spillway metrics`, and metrics as an output of `spillway run`.
@Suite(.needs(.spillway))
struct MetricsCommandTests {
  private static let environment: [String: String?] = [
    "SPILLWAY_COMPAT": nil, "VARNISH_DEFAULT_N": nil, "VINYL_DEFAULT_N": nil,
  ]

  private static func run(_ arguments: [String]) throws -> ProcessResult {
    try ProcessRunner.run(
      TestSupport.Command(try Subject.found().path, arguments, environment: environment))
  }

  private static func metrics(_ arguments: [String]) throws -> MetricsText {
    let result = try run(["metrics"] + arguments)
    guard result.status == 0, result.errorOutput.isEmpty else { throw SupportError(result.errorText) }
    let text = try MetricsText(result.text)
    try text.checkHistograms()
    return text
  }

  /// The complaints of promtool about an exposition.
  private static func complaints(_ text: [UInt8]) throws -> String {
    var command = TestSupport.Command("promtool", ["check", "metrics"])
    command.input = .bytes(text)
    let result = try ProcessRunner.run(command)
    // The exporter's names for sums can't be changed; promtool takes their "s" for a unit.
    let sums = /varnish_main_s_[a-z_]+ metric names should not contain abbreviated units/
    return (result.text + result.errorText).split(separator: "\n")
      .filter { $0.wholeMatch(of: sums) == nil }.joined(separator: "\n")
  }

  // MARK: A captured log

  @Test(arguments: OracleTests.versions)
  func `what is counted of a log is what its lines have`(version: String) async throws {
    try await onOwnThread {
      let log = try Fixture.named(version).path("capture.vsl")
      let text = try Self.metrics(["-r", log])
      for (side, plural, name) in [("-c", "requests", "request"), ("-b", "fetches", "fetch")] {
        let format = "%s %D %{Varnish:time_firstbyte}x %I %O"
        let lines = try Self.run(["ncsa", "-r", log, side, "-F", format]).text.split(separator: "\n")
          .map { $0.split(separator: " ") }
        try #require(lines.count > 40)
        #expect(text.sum("spillway_\(plural)_total") == Double(lines.count))
        for digit in 2...5 {
          let ofClass = lines.count { $0[0].hasPrefix("\(digit)") }
          #expect(text.sum("spillway_\(plural)_total", ["status": "\(digit)xx"]) == Double(ofClass))
        }
        for (family, column, unit) in [("duration", 1, 1.0), ("first_byte", 2, 1e6)] {
          let times = lines.compactMap { Double($0[column]) }.map { ($0 * unit).rounded() }
          let family = "spillway_\(name)_\(family)_seconds"
          #expect(text.sum(family + "_count") == Double(times.count))
          #expect(abs(text.sum(family + "_sum") * 1e6 - times.reduce(0, +)) < 1)
          for bound in ["0.0001", "0.0025", "0.05", "1.0"] {
            let within = times.count { $0 <= (Double(bound) ?? 0) * 1e6 }
            #expect(text.sum(family + "_bucket", ["le": bound]) == Double(within), "\(family) \(bound)")
          }
        }
        let (received, sent) = name == "request" ? (3, 4) : (4, 3)
        func bytes(_ column: Int) -> Double { lines.reduce(0) { $0 + (Double($1[column]) ?? 0) } }
        #expect(text.sum("spillway_\(name)_received_bytes_total") == bytes(received))
        #expect(text.sum("spillway_\(name)_sent_bytes_total") == bytes(sent))
      }
      #expect(
        text["spillway_output_written_total"]
          == text["spillway_output_seen_total"].map { seen in
            seen - text.sum("spillway_output_filtered_total") - text.sum("spillway_output_dropped_total")
          })
      #expect(text["varnish_up"] == nil)
    }
  }

  @Test(.needs(.program("promtool")), arguments: OracleTests.versions)
  func `promtool finds no fault with metrics of any release`(version: String) async throws {
    try await onOwnThread {
      let log = try Self.run(["metrics", "-r", try Fixture.named(version).path("capture.vsl")])
      #expect(try Self.complaints(log.output).isEmpty)
      var instance = InstanceFollower(path: try Fixture.named("counters-\(version)").path("instance"))
      instance.refresh()
      let sample = try #require(try instance.sampleCounters())
      let counters = Exposition.bytes(of: InstanceMetrics.families(sample), .text)
      #expect(try Self.complaints(counters).isEmpty)
      let text = try MetricsText(String(decoding: counters, as: UTF8.self))
      #expect(text.samples.count > 200)
      let instancePath = try Fixture.named("counters-\(version)").path("instance")
      let json = try Self.run(["stat", "-n", instancePath, "-j", "--compat", "7.1"]).text
      #expect(text.differences(fromStat: json).isEmpty)
    }
  }

  @Test func `a query, a side, buckets, labels and limits do what they say`() throws {
    let log = try Fixture.named("7.1").path("capture.vsl")
    let text = try Self.metrics([
      "-r", log, "-c", "-q", "RespStatus >= 400", "--buckets", "0.001,1", "--labels", "status,method",
      "--set-limit", "2", "--textfile", "-",
    ])
    let lines = try Self.run(["ncsa", "-r", log, "-c", "-q", "RespStatus >= 400"]).text.split(separator: "\n")
    #expect(text.sum("spillway_requests_total") == Double(lines.count))
    #expect(text.all("spillway_requests_total").allSatisfy { Set($0.labels.keys) == ["status", "method"] })
    #expect(text.all("spillway_requests_total").count == 3)
    #expect(text.all("spillway_fetches_total").isEmpty)
    let bounds = Set(text.all("spillway_request_duration_seconds_bucket").compactMap { $0.labels["le"] })
    #expect(bounds == ["0.001", "1.0", "+Inf"])
    #expect(text.sum("spillway_output_filtered_total", ["cause": "unwanted"]) > 0)
  }

  @Test func `mistakes are said in one line, and end with 1`() throws {
    let log = try Fixture.named("7.1").path("capture.vsl")
    let cases: [([String], String)] = [
      (["--listen", "9131"], "--listen: \"9131\" is not HOST:PORT, [ADDRESS]:PORT or unix:PATH"),
      (["--listen", "::1:80"], "--listen: \"::1:80\" needs brackets: [ADDRESS]:PORT"),
      (["--buckets", "1,x"], "--buckets: \"x\" is not a number of seconds from 0.000001 to 86400"),
      (["--buckets", "2,1"], "--buckets: \"1\" is not more than the bucket before"),
      (["--labels", "host,url"], "--labels: \"url\" is none of host, method, status, handling, backend"),
      (["--label-limit", "0"], "--label-limit: \"0\" is not a number from 1 to 4000"),
      (["--set-limit", "many"], "--set-limit: \"many\" is not a number from 1 to 100000"),
      (["--textfile-every", "5s"], "--textfile-every needs a file: --textfile PATH"),
      (["--textfile", "x", "--textfile-every", "1ms"], "--textfile-every: the shortest time is 1s"),
      (["-D"], "Daemon cannot write to stdout"),
      (["-w", "x"], "invalid option -- 'w'"),
      (["--listen", "127.0.0.1:1"], "127.0.0.1:1: listen: Permission denied"),
    ]
    for (arguments, words) in cases {
      if arguments[1...] == ["127.0.0.1:1"], geteuid() == 0 { continue }
      let result = try Self.run(["metrics", "-r", log] + arguments)
      #expect(result.status == 1 && result.output.isEmpty, "\(arguments)")
      #expect(result.errorText.hasPrefix("spillway: \(words)"), "\(result.errorText)")
    }
  }

  // MARK: A live log

  private static func port(_ messages: OutputPipe) throws -> UInt16 {
    let line = try messages.line(containing: "metrics are at 127.0.0.1:", by: .after(.seconds(30)))
    return try #require(line.split(separator: ":").last.flatMap { UInt16($0) })
  }

  /// Scrapes the metrics again and again until a condition holds.
  private static func scrape(
    _ port: UInt16, until condition: (MetricsText) -> Bool
  ) throws -> MetricsText {
    var found: MetricsText?
    let isThere = try poll(until: .after(.seconds(30))) { () throws(SupportError) in
      let text = try MetricsText(try WebAnswer.get("/metrics", port: port).text)
      found = text
      return condition(text)
    }
    let text = try #require(found)
    #expect(isThere, "\(text.samples.prefix(100))")
    return text
  }

  /// Follows a live log and counts all requests except those made while attaching.
  private static func feed(_ file: String, _ more: [String] = []) throws -> LiveFeed {
    try LiveFeed(
      [], isTimed: true,
      wrap: { command in
        var command = command
        let index = command.arguments.firstIndex(of: "-n") ?? 0
        command.arguments =
          [
            "metrics", "-n", command.arguments[index + 1], "-q", "ReqURL !~ \"^/attach\"", "--listen",
            "127.0.0.1:0", "--textfile", file, "--textfile-every", "1s",
          ] + more
        return command
      },
      text: { () throws(SupportError) in
        guard let text = try? MetricsText(readText(file)) else { return "" }
        return text.sum("spillway_output_filtered_total") > 0 ? "/attach" : ""
      })
  }

  @Test func `a live log is served as it goes on, and the file has the last state`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let file = home.file("spillway.prom")
      let feed = try Self.feed(file, ["--sandbox"])
      let port = try Self.port(feed.messages)
      feed.send(500)
      let text = try Self.scrape(port) { $0.sum("spillway_requests_total") == 500 }
      try text.checkHistograms()
      // The run publishes its own figures a little later.
      let settled = try Self.scrape(port) {
        $0["spillway_output_written_total"] == 500 && $0["spillway_log_lag_bytes"] == 0
      }
      #expect(settled["spillway_log_lost_bytes_total"] == 0)
      #expect(settled["spillway_log_state", ["state": "reading"]] == 1)
      #expect(settled["spillway_output_last_entry_timestamp_seconds"] ?? 0 > 1e9)
      #expect(settled["spillway_build_info"] == 1)
      let (end, _) = try feed.finish()
      #expect(end.status == 0)
      let last = try MetricsText(try readText(file))
      #expect(last.sum("spillway_requests_total") == 500)
      #expect(last["spillway_output_written_total"] == 500)
      #expect(directoryEntries(home.path) == ["spillway.prom"])
      #expect(throws: (any Error).self) { try WebAnswer.get("/metrics", port: port) }
    }
  }

  @Test func `clients that hang hold up neither reading nor its end`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let file = home.file("spillway.prom")
      let feed = try Self.feed(file)
      let port = try Self.port(feed.messages)
      final class Client {
        let client: WebClient
        init(_ port: UInt16, _ text: String) throws {
          client = try WebClient(port: port)
          client.send(Array(text.utf8))
        }
      }
      let clients = try (0..<40).map {
        try Client(port, $0 % 2 == 0 ? "GET /met" : "GET /metrics HTTP/1.1\r\n\r\n")
      }
      feed.send(2000)
      let isCounted = try poll(until: .after(.seconds(30))) { () throws(SupportError) in
        try MetricsText(try readText(file)).sum("spillway_requests_total") == 2000
      }
      #expect(isCounted)
      #expect(try feed.finish().end.status == 0)
      _ = clients
    }
  }

  // MARK: An output of a run

  @Test func `metrics go on over a reload that leaves them as they are, and move where they are told to`()
    async throws
  {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let first = home.file("first")
      let lines = "lines: {file: \(first), format-text: '%U'}"
      func metrics(_ port: String, _ more: String = "") -> String {
        "numbers: {metrics: {listen: '127.0.0.1:\(port)', labels: [status]\(more)}, "
          + "query: 'ReqURL !~ \"^/attach\"'}"
      }
      let run = try ConfiguredFeed(home.file("it.yaml"), [lines, metrics("0")], first: first, isTimed: true)
      let port = try Self.port(run.feed.messages)
      run.feed.send(100)
      let before = try Self.scrape(port) { $0.sum("spillway_requests_total") == 100 }
      #expect(before["spillway_output_failed", ["output": "numbers"]] == 0)
      try run.reload([lines, metrics("0"), "more: {file: \(home.file("more")), format-text: '%U'}"])
      try run.feed.message(containing: "read again")
      run.feed.send(100)
      let after = try Self.scrape(port) { $0.sum("spillway_requests_total") == 200 }
      #expect(after["spillway_output_failed", ["output": "more"]] == 0)
      try run.reload([lines, metrics("0", ", label-limit: 7")])
      let other = try Self.port(run.feed.messages)
      run.feed.send(10)
      _ = try Self.scrape(other) { $0.sum("spillway_requests_total") >= 10 }
      let isGone = try poll(until: .after(.seconds(30))) { (try? WebAnswer.get("/", port: port)) == nil }
      #expect(isGone)
      #expect(try run.feed.finish().end.status == 0)
    }
  }

  @Test func `mistakes in the settings of metrics are told at their places`() throws {
    let home = try TemporaryDirectory()
    func check(_ settings: String) throws -> String {
      try writeFile(home.file("it.yaml"), "outputs:\n  numbers:\n\(settings)".utf8)
      let result = try Self.run(["check", home.file("it.yaml")])
      return result.status == 0
        ? result.text : result.errorText.replacing(home.file("it.yaml"), with: "it.yaml")
    }
    func metrics(_ settings: String) throws -> String { try check("    metrics: {\(settings)}\n") }
    #expect(
      try metrics("listen: '[::1]:9131', buckets: [0.1, 1], labels: host, set-limit: 9").hasSuffix(
        "no mistakes\n"))
    #expect(
      try metrics("listen: 9131")
        == "it.yaml:3:23: listen: \"9131\" is not HOST:PORT, [ADDRESS]:PORT or unix:PATH\n")
    #expect(
      try metrics("textfile: a, bucket: 1").hasPrefix(
        "it.yaml:3:28: bucket: no such setting: did you mean buckets?"))
    #expect(try metrics("textfile: a, buckets: [1, x]").contains("buckets: \"x\" is not a number of seconds"))
    #expect(try metrics("textfile: a, labels: [url]").contains("labels: \"url\" is none of host, method"))
    #expect(try metrics("textfile: '-'").contains("textfile: \"-\""))
    #expect(try metrics("labels: host").contains("listen: nothing reads them: expected listen or textfile"))
    #expect(try metrics("listen: 'a:1', textfile-every: 1m").contains("textfile-every: no file"))
    #expect(try check("    metrics: yes\n").contains("metrics: \"yes\": expected a mapping"))
    let target = "    metrics: {listen: 'a:1'}\n"
    #expect(try check(target + "    file: x\n").contains("a second target"))
    #expect(
      try check(target + "    format: json\n").contains(
        "format: metrics: expected an output that shows lines"))
    #expect(try check(target + "    show: groups\n").contains("show: metrics"))
    #expect(try check(target + "    mark-gaps: yes\n").contains("mark-gaps: metrics, which have no lines"))
    #expect(try check(target + "    gzip: 3\n").contains("gzip: needs a file"))
    #expect(try check(target + "  others:\n" + target).contains("this place is another output's already"))
  }
}
