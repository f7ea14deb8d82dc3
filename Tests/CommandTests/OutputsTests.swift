import TestSupport
import Testing

/// Several outputs of one run.
@Suite(.needs(.spillway))
struct OutputsTests {
  /// The number of requests, of which every seventh fails; there are as many fetches.
  static let requestCount = 400
  static let log = LogFileBuilder(
    lines: (1...requestCount).map { number in
      """
      \(number * 2) c Begin req 1 rxreq
      \(number * 2) c Timestamp Start: 1700000000.000000 0.000000 0.000000
      \(number * 2) c ReqURL /client/\(number)
      \(number * 2) c RespStatus \(number % 7 == 0 ? 503 : 200)
      \(number * 2) c Link bereq \(number * 2 + 1) fetch
      \(number * 2) c End
      \(number * 2 + 1) b Begin bereq \(number * 2) fetch
      \(number * 2 + 1) b BereqURL /backend/\(number)
      \(number * 2 + 1) b BerespStatus 200
      \(number * 2 + 1) b End
      """
    }.joined(separator: "\n"))

  private let home: TemporaryDirectory

  init() throws {
    home = try TemporaryDirectory()
    try writeFile(home.file("log"), Self.log.bytes)
  }

  private func run(_ command: String, _ arguments: [String]) throws -> ProcessResult {
    try ProcessRunner.run(Command(try Subject.found().path, [command, "-r", home.file("log")] + arguments))
  }

  /// The output of a run with only one output.
  private func alone(_ arguments: [String], as command: String = "ncsa") throws -> [UInt8] {
    let result = try run(command, arguments)
    #expect(result.status == 0, "\(result.errorText)")
    return result.output
  }

  /// The numbers of an accounting line.
  private func numbers(_ line: Substring) -> [Substring: Int] {
    var numbers: [Substring: Int] = [:]
    for word in line.split(separator: " ") {
      let parts = word.split(separator: "=")
      if parts.count == 2, let number = Int(parts[1]) { numbers[parts[0]] = number }
    }
    return numbers
  }

  @Test func `each of three outputs gets what a run of its own gives`() throws {
    let (all, errors) = (home.file("all.gz"), home.file("errors.json"))
    let result = try run(
      "ncsa",
      [
        "--stats", "-bc", "--output", "file=\(all) gzip format-text=%U", "--output",
        "file=\(errors) format=json query=\"RespStatus >= 500\" side=client", "--output",
        "sample=1/10 format-text='%U %s'",
      ])
    #expect(result.status == 0, "\(result.errorText)")
    let unpacked = try ProcessRunner.run("gzip", "-dc", all)
    #expect(unpacked.output == (try alone(["-bc", "-F", "%U"])))
    let failed = try alone(["-c", "--format", "json", "-q", "RespStatus >= 500"])
    #expect(failed.count(where: { $0 == UInt8(ascii: "\n") }) == Self.requestCount / 7)
    #expect(try readFile(errors) == failed)
    let sampled = try alone(["-bc", "-F", "%U %s", "--sample", "10%"])
    #expect((40...120).contains(sampled.count(where: { $0 == UInt8(ascii: "\n") })))
    #expect(result.output == sampled)
    let accounts = result.errorText.split(separator: "\n")
    #expect(
      accounts.map { $0.prefix { $0 != "=" } } == [
        "spillway: \(all): seen", "spillway: \(errors): seen", "spillway: standard output: seen",
      ])
    for account in accounts.map(numbers) {
      #expect(account["seen"] == Self.requestCount * 2)
      #expect(
        account["seen"] == (account["written"] ?? 0) + (account["filtered"] ?? 0) + (account["dropped"] ?? 0))
    }
    #expect(accounts.map { numbers($0)["written"] }[1] == Self.requestCount / 7)
  }

  @Test func `outputs of a log are records in files and text elsewhere, unless they say what they show`()
    throws
  {
    let (records, text) = (home.file("records"), home.file("text"))
    let result = try run(
      "log",
      [
        "-g", "request", "--output", "file=\(records)", "--output", "file=\(text) show=groups verbose",
        "--output", "tags='show=ReqURL,BereqURL hide-matching=/client/1$' grouping=vxid",
      ])
    #expect(result.status == 0, "\(result.errorText)")
    try #require(run("log", ["-g", "request", "-w", home.file("alone")]).status == 0)
    #expect(try readFile(records) == readFile(home.file("alone")))
    #expect(try readFile(text) == alone(["-g", "request", "-v"], as: "log"))
    #expect(result.output == (try alone(["-i", "ReqURL,BereqURL", "-X", "/client/1$"], as: "log")))
  }

  @Test func `what is given outside holds for all that say nothing else`() throws {
    let (one, two, three) = (home.file("one"), home.file("two"), home.file("three"))
    let result = try run(
      "ncsa",
      [
        "-b", "-F", "%U", "-q", "BerespStatus == 200", "-k", "5", "--gzip=9", "--output", "file=\(one)",
        "--output", "file=\(two) gzip=no side=client format=json query='RespStatus == 503' limit=2",
        "--output", "exec='cat > \(three)' esi=no",
      ])
    #expect(result.status == 0, "\(result.errorText)")
    let first = try alone(["-b", "-F", "%U", "-k", "5"])
    #expect(try ProcessRunner.run("gzip", "-dc", one).output == first)
    #expect(try readFile(three) == first)
    #expect(
      try readFile(two)
        == alone(["-c", "--format", "json", "-q", "RespStatus == 503", "-k", "2"]))
  }

  @Test func `one way of compression for all gives way to another of an output`() throws {
    let (one, two) = (home.file("one"), home.file("two"))
    let result = try run(
      "ncsa", ["-F", "%U", "--gzip=9", "--output", "file=\(one) zstd=3", "--output", "file=\(two)"])
    #expect(result.status == 0, "\(result.errorText)")
    let expected = try alone(["-F", "%U"])
    #expect(try ProcessRunner.run("zstd", "-dc", one).output == expected)
    #expect(try ProcessRunner.run("gzip", "-dc", two).output == expected)
  }

  /// Outputs that can't work, and the messages for them.
  static let broken: [(String, String)] = [
    ("file=/dev/full", "No space left on device"),
    ("exec='cat > /dev/null; exit 3'", "ended with status 3"),
    ("socket=unix:/etc/passwd", "/etc/passwd"),
  ]

  @Test(arguments: broken)
  func `a broken output fails the run and leaves the others whole`(output: String, message: String) throws {
    let whole = home.file("whole")
    let result = try run("ncsa", ["--stats", "-F", "%U", "--output", output, "--output", "file=\(whole)"])
    #expect(result.status == 4)
    #expect(result.errorText.contains(message), "\(result.errorText)")
    #expect(
      result.errorText.contains("\(whole): seen=\(Self.requestCount * 2) written=\(Self.requestCount) "),
      "\(result.errorText)")
    #expect(try readFile(whole) == alone(["-F", "%U"]))
  }

  @Test func `a sample is the same part every time, however it is written`() throws {
    let tenth = try alone(["-bc", "-F", "%U", "--sample", "1/10"])
    for part in ["10%", "0.1", ".1", "10.0%", "100/1000"] {
      #expect(try alone(["-bc", "-F", "%U", "--sample", part]) == tenth, "\(part)")
    }
    #expect(try alone(["-F", "%U", "--sample", "1"]) == alone(["-F", "%U"]))
    // A request and its subrequests are sampled together.
    let groups = String(
      decoding: try alone(["-bc", "-F", "%U", "-g", "request", "--sample", "1/4"]), as: UTF8.self)
    let lines = groups.split(separator: "\n")
    let clients = Set(lines.filter { $0.hasPrefix("/client") }.map { $0.dropFirst("/client".count) })
    #expect(!clients.isEmpty)
    #expect(clients == Set(lines.filter { $0.hasPrefix("/backend") }.map { $0.dropFirst("/backend".count) }))
  }

  /// Arguments, and the messages for them.
  static let mistakes: [([String], String)] = [
    (["--sample", "0"], "--sample: \"0\" is not above 0 and at most 1"),
    (["--sample", "3/2"], "--sample: \"3/2\" is not above 0 and at most 1"),
    (["--sample", "1/0"], "--sample: \"1/0\" is not a part of the whole, like 1/10, 10% or 0.1"),
    (["--sample", "-1"], "--sample: \"-1\" is not a part of the whole, like 1/10, 10% or 0.1"),
    (["--sample", ""], "--sample: \"\" is not a part of the whole, like 1/10, 10% or 0.1"),
    (["--sample", "1e-3"], "--sample: \"1e-3\" is not a part of the whole, like 1/10, 10% or 0.1"),
    (
      ["-w", "/tmp/x", "--output", "exec=cat"],
      "-w, --exec and --socket don't go with --output: the target belongs into each"
    ),
    (["--gzip", "--output", "exec=cat"], "--gzip: no --output takes it; expected a file among them"),
    (["--gzip=11", "--output", "file=/tmp/x"], "--gzip: \"11\" is not a number from 1 to 9"),
    (
      ["--output", "file=/tmp/x gzip zstd"],
      "--output, column 22: zstd: doesn't go with gzip: expected only one of gzip and zstd"
    ),
    (["--output", "file=/tmp/x zstd=20"], "--output, column 18: zstd: \"20\" is not a number from 1 to 19"),
    (["--output", "fil=/tmp/x"], "--output, column 1: fil: no such setting: did you mean file?"),
    (
      ["--output", "file=/tmp/x keep=3"],
      "--output, column 18: keep: needs files that are finished: expected rotate-size or rotate-every beside it, or a time in the file's name"
    ),
    (
      ["--output", "exec=cat", "--output", "gzip=1x"],
      "--output, column 6: gzip: \"1x\" is not a number from 1 to 9 (in gzip=1x)"
    ),
    (["--output", "exec=cat gzip"], "--output, column 14: gzip: needs a file: expected file beside it"),
    (
      ["--output", "file=/tmp/x exec=cat"],
      "--output, column 18: exec: a second target: expected only one of file, exec, socket and standard-output"
    ),
    (
      ["--output", "", "--output", "standard-output"],
      "--output, column 16: standard-output: \"-\": standard output is another output's already"
    ),
    (
      ["--output", "file=/tmp/x", "--output", "file=/tmp/../tmp//x"],
      "--output, column 6: file: \"/tmp/../tmp//x\": this file is another output's already"
    ),
    (
      ["--output", "file=/tmp/x symlink=/tmp/y", "--output", "file=/tmp/y"],
      "--output, column 6: file: \"/tmp/y\": this file is another output's already"
    ),
    (
      ["--spool-dir", "/tmp/s", "--output", "file=/tmp/x", "--output", "file=/tmp/y"],
      "--spool-dir: this directory is another output's already: /tmp/s"
    ),
    (
      ["--output", "query='Foo == 1'"],
      "--output, column 7: query: \"Foo == 1\": Tag name matches zero tags (Pos 1)"
    ),
    (["--output", "format-text=%z"], "--output, column 13: format-text: Unknown format specifier at: %z"),
    (["-F", "%z", "--output", ""], "Unknown format specifier at: %z"),
    (
      ["--output", "json format=json"],
      "--output, column 5: json: the template says how values are escaped"
    ),
    (
      ["--output", "verbose"],
      "--output, column 8: verbose: an output that shows lines: expected an output that shows groups or records"
    ),
    (["--output", "show=groups tags='show=Foo'"], "--output, column 18: tags: \"Foo\" matches zero tags"),
    (["--output", "append"], "--output, column 7: append: needs a file: expected file beside it"),
    (["--output", "grouping=raw"], "--output, column 10: grouping: \"raw\": expected vxid or request"),
  ]

  @Test(arguments: mistakes)
  func `mistakes in outputs are named with their place`(arguments: [String], message: String) throws {
    let result = try run("ncsa", arguments)
    #expect(result.status == 1)
    #expect(result.errorText == "spillway: \(message)\n")
    #expect(result.output.isEmpty)
  }

  @Test func `a live log never waits, and a log in a file may wait for each of several`() throws {
    let output = ["--output", "file=\(home.file("a")) overflow=block", "--output", "file=\(home.file("b"))"]
    let live = try ProcessRunner.run(try Subject.found().ncsa(["-n", home.path] + output))
    #expect(live.status == 1)
    #expect(
      live.errorText
        == "spillway: --output, column \(output[1].utf8.count - 4): overflow: \"block\" in a live log: only a log in a file can wait (in \"\(output[1])\")\n"
    )
    #expect(try run("ncsa", output).status == 0)
    #expect(try readFile(home.file("a")) == readFile(home.file("b")))
  }
}
