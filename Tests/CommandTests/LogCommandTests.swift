import Glibc
import Shipping
import TestSupport
import Testing

/// `spillway log`: the same output as each release's varnishlog for real logs, and Spillway's own additions.
@Suite(.needs(.spillway))
struct LogCommandTests {
  struct Shown: Sendable, CustomTestStringConvertible {
    /// The name of the file with the expected output.
    var name: String
    var arguments: [String]
    var versions = ["5.2", "6.0", "7.1", "7.3", "8.0", "9.0"]

    var testDescription: String { name }
  }

  /// Commands whose expected output covers each release's requests, and whole sessions with all that belongs
  /// to them.
  static let requests = [
    Shown(name: "vxid", arguments: [], versions: ["7.1", "8.0"]),
    Shown(name: "backend-request", arguments: ["-b", "-g", "request"]),
    Shown(name: "matching-tags", arguments: ["-i", "Begin", "-I", "Timestamp:Resp"]),
    // Tags whose payloads may be any bytes; releases before 6.0 have no HTTP/2 frames among them.
    Shown(
      name: "flagged-tags",
      arguments: ["-g", "raw", "-i", "Hash,Debug,HttpGarbage,H2RxHdr,H2RxBody,H2TxHdr,H2TxBody"]),
  ]
  static let sessions = [
    Shown(name: "session", arguments: ["-g", "session"], versions: ["7.1", "8.0"]),
    Shown(name: "session-verbose", arguments: ["-v", "-g", "session"], versions: ["7.1"]),
    Shown(name: "session-request", arguments: ["-g", "request"], versions: ["7.1"]),
    Shown(name: "session-raw", arguments: ["-g", "raw"], versions: ["7.1"]),
  ]

  @Test(arguments: requests)
  func `requests look as each release shows them`(shown: Shown) async throws {
    try await onOwnThread {
      for version in shown.versions {
        try Self.check(shown, Fixture.named(version).path("capture.vsl"), version)
      }
    }
  }

  @Test(arguments: sessions)
  func `sessions look as each release shows them`(shown: Shown) async throws {
    try await onOwnThread {
      for version in shown.versions {
        try Self.check(shown, Fixture.named("log-\(version)").path("sessions.vsl"), version)
      }
    }
  }

  private static func check(_ shown: Shown, _ log: String, _ version: String) throws {
    let expected = try Fixture.named("log-\(version)").bytes("\(shown.name).out")
    try #require(!expected.isEmpty)
    let result = try run(["--compat", version, "-r", log] + shown.arguments)
    #expect(result.status == 0, "\(result.errorText)")
    #expect(result.errorText.isEmpty)
    guard result.output != expected else { return }
    let pairs = zip(
      result.text.split(separator: "\n"), String(decoding: expected, as: UTF8.self).split(separator: "\n"))
    let first = pairs.first { $0 != $1 }
    Issue.record(
      "\(shown.name) by \(version): \(first.map { "got \($0), expected \($1)" } ?? "another length")")
  }

  // MARK: Binary files

  static let logs = ["7.1", "8.0"]

  @Test(arguments: logs)
  func `every record by itself makes the same file again`(version: String) async throws {
    try await onOwnThread {
      let fixture = try Fixture.named("log-\(version)")
      let home = try TemporaryDirectory()
      let result = try Self.run(["-g", "raw", "-r", fixture.path("sessions.vsl"), "-w", home.file("copy")])
      #expect(result.status == 0, "\(result.errorText)")
      #expect(result.output.isEmpty)
      #expect(try readFile(home.file("copy")) == fixture.bytes("sessions.vsl"))
    }
  }

  @Test(arguments: logs, ["vxid", "request", "session"])
  func `a file of groups shows what the log shows`(version: String, grouping: String) async throws {
    try await onOwnThread {
      let log = try Fixture.named("log-\(version)").path("sessions.vsl")
      let home = try TemporaryDirectory()
      let written = try Self.run(["-g", grouping, "-r", log, "-w", home.file("copy")])
      #expect(written.status == 0, "\(written.errorText)")
      let layout: SampleLayout = version == "7.1" ? .twoWord : .threeWord
      #expect(try readFile(home.file("copy")).starts(with: layout.fileMagic))
      // In the copy, transactions are no longer mixed, so groups and their members may come in another order.
      let expected = try Self.run(["-g", grouping, "-r", log])
      let shown = try Self.run(["-g", grouping, "-r", home.file("copy")])
      #expect(Self.transactions(shown) == Self.transactions(expected))
      #expect(Self.transactions(shown).count > 20)
      if version == "7.1", try Need.reference.isMet {
        let theirs = try ProcessRunner.run("varnishlog", "-g", grouping, "-r", home.file("copy"))
        #expect(theirs.text == shown.text)
      }
    }
  }

  @Test(.needs(.reference))
  func `records go through a pipe into varnishlog`() async throws {
    try await onOwnThread {
      let log = try Fixture.named("log-7.1").path("sessions.vsl")
      let subject = try Subject.found().path
      var command = TestSupport.Command(
        "sh", ["-c", "\"$0\" log -r \"$1\" -w - | varnishlog -g request -r -", subject, log])
      command.environment = ["SPILLWAY_COMPAT": nil]
      let piped = try ProcessRunner.run(command)
      #expect(piped.text == (try ProcessRunner.run("varnishlog", "-g", "request", "-r", log)).text)
      #expect(piped.text.contains("<< Request  >>"))
    }
  }

  @Test(arguments: SampleLayout.allCases)
  func `a file without records is a log all the same`(layout: SampleLayout) throws {
    let home = try TemporaryDirectory()
    let log = LogFileBuilder(layout, lines: "2 c Begin req 1 rxreq\n2 c ReqURL /a\n2 c End")
    let none = ["-q", "ReqURL eq \"/b\""]
    let file = try Self.run(none + ["-w", home.file("log")], over: log)
    #expect(file.status == 0, "\(file.errorText)")
    #expect(try readFile(home.file("log")) == layout.fileMagic)
    #expect(try Self.run(none + ["-w", "-"], over: log).output == layout.fileMagic)
  }

  @Test func `only records that are shown are written, and those that hold a transaction together`() throws {
    let log = LogFileBuilder(
      lines: "2 c Begin req 1 rxreq\n2 c ReqURL /a\n2 c Link bereq 3 fetch\n2 c ReqMethod GET\n2 c End")
    let written = try Self.run(["-i", "ReqURL", "-w", "-"], over: log)
    let kept = LogFileBuilder(lines: "2 c Begin req 1 rxreq\n2 c ReqURL /a\n2 c Link bereq 3 fetch\n2 c End")
    #expect(written.output == kept.bytes)
  }

  // MARK: Appending

  private static let first = LogFileBuilder(lines: "2 c Begin req 1 rxreq\n2 c ReqURL /first\n2 c End")
  private static let second = LogFileBuilder(lines: "4 c Begin req 1 rxreq\n4 c ReqURL /second\n4 c End")
  private static var both: [UInt8] { first.bytes + second.bytes.dropFirst(4) }

  @Test func `appending puts no second marker into a file`() throws {
    let home = try TemporaryDirectory()
    for (log, length) in [(Self.first, Self.first.byteCount), (Self.second, Self.both.count)] {
      let result = try Self.run(["-a", "-w", home.file("log")], over: log)
      #expect(result.status == 0 && result.errorText.isEmpty, "\(result.errorText)")
      #expect(try readFile(home.file("log")).count == length)
    }
    #expect(try readFile(home.file("log")) == Self.both)
    _ = try Self.run(["-w", home.file("log")], over: Self.second)
    #expect(try readFile(home.file("log")) == Self.second.bytes, "without -a it begins anew")
  }

  /// How many bytes are left of a second transaction, and how many of these belong to a partial record.
  static let cuts = [(1, 1), (7, 7), (8, 8), (19, 19), (20, 0), (21, 1), (41, 5)]

  @Test(arguments: cuts)
  func `what a kill left of a record is cut off, and that is said`(left: Int, torn: Int) throws {
    let home = try TemporaryDirectory()
    let whole = Self.first.bytes + Self.second.bytes.dropFirst(4).prefix(left - torn)
    try writeFile(home.file("log"), Self.first.bytes + Self.second.bytes.dropFirst(4).prefix(left))
    let result = try Self.run(["-a", "-w", home.file("log")], over: Self.second)
    #expect(result.status == 0)
    let message =
      "spillway: \(home.file("log")): cut \(torn) bytes of a torn record, \(whole.count) bytes are left\n"
    #expect(result.errorText == (torn > 0 ? message : ""))
    #expect(try readFile(home.file("log")) == whole + Self.second.bytes.dropFirst(4))
  }

  @Test func `records are not added to those of another layout`() throws {
    let home = try TemporaryDirectory()
    let wide = LogFileBuilder(.threeWord, lines: "2 c Begin req 1 rxreq\n2 c End")
    try wide.write(to: home.file("log"))
    let result = try Self.run(["-a", "-w", home.file("log")], over: Self.first)
    #expect(result.status == 4)
    #expect(result.errorText.contains("it holds something other than records of this log"))
    #expect(try readFile(home.file("log")) == wide.bytes)
  }

  @Test func `what is no log is put aside as it is`() throws {
    let home = try TemporaryDirectory()
    try writeFile(home.file("log"), "some text\n".utf8)
    let result = try Self.run(["-a", "-w", home.file("log")], over: Self.first)
    #expect(result.status == 0)
    #expect(try readFile(home.file("log")) == Self.first.bytes)
    let aside = directoryEntries(home.path).filter { $0 != "log" }
    #expect(aside.count == 1)
    let name = try #require(aside.first)
    #expect(name.hasPrefix("log.") && name.hasSuffix(".not-vsl"))
    #expect(result.errorText == "spillway: \(home.file("log")): not a VSL file: put aside as \(name)\n")
    #expect(try readText(home.file(name)) == "some text\n")
  }

  @Test(arguments: SampleLayout.allCases)
  func `lines are not added to records, of which nothing is cut`(layout: SampleLayout) throws {
    let home = try TemporaryDirectory()
    let log = LogFileBuilder(layout, lines: "2 c Begin req 1 rxreq\n2 c ReqURL /a\n2 c End")
    try log.write(to: home.file("log"))
    let result = try Self.run(["-A", "-a", "-w", home.file("log")], over: log)
    #expect(result.status == 0)
    let aside = directoryEntries(home.path).filter { $0 != "log" }
    #expect(aside.count == 1)
    let name = try #require(aside.first)
    #expect(name.hasPrefix("log.") && name.hasSuffix(".not-lines"))
    #expect(result.errorText == "spillway: \(home.file("log")): not a file of lines: put aside as \(name)\n")
    #expect(try readFile(home.file(name)) == log.bytes)
  }

  @Test func `text is appended as lines are`() throws {
    let home = try TemporaryDirectory()
    for log in [Self.first, Self.second] {
      let result = try Self.run(["-A", "-a", "-w", home.file("log"), "-i", "ReqURL"], over: log)
      #expect(result.status == 0 && result.output.isEmpty, "\(result.errorText)")
    }
    #expect(
      try readText(home.file("log")) == """
        *   << Request  >> 2\("         ")
        -   ReqURL         /first

        *   << Request  >> 4\("         ")
        -   ReqURL         /second


        """)
  }

  // MARK: Rotation

  @Test(arguments: [[], ["gzip"], ["zstd"]])
  func `rotated files are logs, and together have every record once`(packing: [String]) async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let directory = home.file("files")
      mkdir(directory, 0o755)
      // A compressed file grows only when a member of a megabyte has been written.
      var log = LogFileBuilder()
      var random = SeededGenerator(seed: 5)
      for vxid in 2..<(packing.isEmpty ? 2000 : 20_000) as Range<UInt64> {
        let noise = (0..<60).map { _ in UInt8.random(in: 0x21...0x7E, using: &random) }
        log.add(SampleRecord(vxid, .client, "Begin", "req 1 rxreq"))
        log.add(SampleRecord(vxid, .client, tag: log.tags["VCL_Log"], bytes: noise))
        log.add(SampleRecord(vxid, .client, "End"))
      }
      let written = try Self.run(
        ["-w", "\(directory)/log", "--rotate-size", "32k", "--keep", "500"] + packing.map { "--\($0)" },
        over: log)
      #expect(written.status == 0, "\(written.errorText)")
      let names = directoryEntries(directory)
      #expect(names.count > 1)
      var records: [UInt8] = []
      // The file without a time in its name is the last.
      let finished = names.filter { $0 != "log" && $0 != "log.gz" }.sorted(by: Self.isOlder)
      for name in finished + names.filter({ !finished.contains($0) }) {
        let path = "\(directory)/\(name)"
        var plain = path
        if let program = packing.first {
          var test = TestSupport.Command(program, ["-tq"])
          test.input = .file(path)
          #expect(try ProcessRunner.run(test).status == 0, "\(name)")
          plain = home.file("plain")
          var unpack = TestSupport.Command(program, ["-dc"])
          unpack.input = .file(path)
          unpack.output = .file(plain)
          _ = try ProcessRunner.run(unpack)
        }
        let bytes = try readFile(plain)
        #expect(bytes.starts(with: SampleLayout.twoWord.fileMagic), "\(name)")
        records += bytes.dropFirst(4)
        let shown = try Self.run(["-g", "raw", "-r", plain])
        #expect(shown.status == 0 && shown.errorText.isEmpty, "\(name): \(shown.errorText)")
      }
      #expect(records == Array(log.bytes.dropFirst(4)))
    }
  }

  /// Compares names by their times, and by the numbers of those of the same second.
  private static func isOlder(_ name: String, than other: String) -> Bool {
    func key(_ name: String) -> (String, Int) {
      let stem =
        name.hasSuffix(".gz") ? name.dropLast(3) : name.hasSuffix(".zst") ? name.dropLast(4) : name[...]
      let parts = stem.split(separator: "-", maxSplits: 1)
      return (String(parts[0]), parts.count > 1 ? Int(parts[1]) ?? 0 : 1)
    }
    return key(name) < key(other)
  }

  @Test func `only as many finished files are kept as were asked for`() throws {
    let home = try TemporaryDirectory()
    var log = LogFileBuilder()
    for vxid in 2..<600 as Range<UInt64> {
      log.add(lines: "\(vxid) c Begin req 1 rxreq\n\(vxid) c ReqURL /\(vxid)\n\(vxid) c End")
    }
    let result = try Self.run(
      ["-w", home.file("log"), "--rotate-size", "2k", "--keep", "2"], over: log)
    #expect(result.status == 0, "\(result.errorText)")
    #expect(directoryEntries(home.path).count == 3)
    #expect(try readFile(home.file("log")).starts(with: log.layout.fileMagic))
  }

  // MARK: Command line

  @Test func `queries from files stand where the files are named`() throws {
    let home = try TemporaryDirectory()
    try writeFile(home.file("query"), "ReqURL ~ b\n".utf8)
    for (arguments, line) in [
      (["-q", "ReqURL ~ a", "-Q", home.file("query"), "-q", "ReqURL ~"], "ReqURL ~ a ReqURL ~ b  ReqURL ~"),
      (["-Q", home.file("query"), "-q", "ReqURL ~"], "ReqURL ~ b  ReqURL ~"),
    ] {
      let result = try Self.run(arguments, over: Self.first)
      #expect(result.errorText.split(separator: "\n").dropFirst(2).first.map(String.init) == line)
      #expect(result.status == 1)
    }
  }

  @Test func `an output that can't be opened is said in the old words where those are wanted`() throws {
    func outcome(_ arguments: [String], name: String? = nil, version: String? = nil) throws -> String {
      var command = TestSupport.Command(
        try Subject.found().path, arguments + ["-r", "unread", "-w", "/nonexistent/file"], name: name)
      command.environment = ["SPILLWAY_COMPAT": version]
      let result = try ProcessRunner.run(command)
      return "\(result.status ?? -1) \(result.errorText)"
    }
    let reason = "(No such file or directory)"
    let ours = "1 spillway: Can't open output file \(reason): /nonexistent/file; there is no /nonexistent\n"
    #expect(try outcome(["log"]) == ours)
    #expect(try outcome(["ncsa"]) == ours)
    #expect(try outcome([], name: "varnishlog") == "2 varnishlog: Cannot open output file \(reason)\n")
    #expect(try outcome([], name: "varnishncsa") == "1 varnishncsa: Can't open output file \(reason)\n")
    let old = "2 spillway: Cannot open output file \(reason)\n"
    #expect(try outcome(["log", "--compat", "7.1"]) == old)
    #expect(try outcome(["log"], version: "8.0") == old)
  }

  @Test func `the letters of the options are told as getopt takes them`() throws {
    let log = try Self.run(["--optstring"])
    #expect(log.text == "aAbcCdDEg:hi:I:k:L:n:P:Q:q:r:R:t:T:uvVw:x:X:\n")
    #expect(log.status == 0)
    let ncsa = try ProcessRunner.run(try Subject.found().ncsa(["--optstring"]))
    #expect(ncsa.text == "abcCdDEF:f:g:hjk:L:n:P:Q:q:r:R:t:T:Vw:\n")
    if try Need.reference.isMet {
      #expect(try ProcessRunner.run("varnishlog", "--optstring").text == log.text)
    }
  }

  /// Values, and the first line on standard error; nil for values that are accepted.
  static let values: [([String], String?)] = [
    (["-T", "x"], "-T: Syntax error"), (["-T", ""], "-T: Syntax error"), (["-T", "inf"], "-T: Syntax error"),
    (["-T", "nan"], "-T: Syntax error"), (["-T", "-1"], "-T: Range error"), (["-T", " 1.5 "], nil),
    (["-T", "0"], nil), (["-L", "0"], "-L: Range error"), (["-L", ""], "-L: Range error"),
    (["-L", "99999999999999999999"], "-L: Range error"), (["-L", "08"], "-L: Syntax error"),
    (["-L", "0x10 "], nil), (["-k", "0"], "-k: Invalid number '0'"),
    (["-k", "0x1"], "-k: Invalid number '0x1'"),
    (["-k", "08"], nil), (["-R", "08"], "-R: Range error"), (["-R", "1x"], "-R: Syntax error"),
    (["-R", "99999999999999999999"], "-R: Range error"), (["-R", "1/2 s "], nil), (["-R", "1/ s"], nil),
    (["-R", "1/ 2 s"], "-R: Syntax error: Invalid duration"),
    (["-g", "r"], "Ambiguous grouping type: r"), (["-g", "RA"], nil),
  ]

  @Test(arguments: values)
  func `values are taken or refused as ever`(arguments: [String], message: String?) throws {
    let result = try Self.run(arguments, over: Self.first)
    #expect(result.status == (message == nil ? 0 : 1))
    #expect(result.errorText == (message.map { "spillway: \($0)\n" } ?? ""))
  }

  @Test func `called varnishlog it is that command`() throws {
    var command = TestSupport.Command(
      try Subject.found().path, ["-r", "-", "-g", "raw", "-i", "ReqURL"], name: "/usr/bin/varnishlog")
    command.environment = ["SPILLWAY_COMPAT": nil]
    command.input = .bytes(Self.first.bytes)
    let result = try ProcessRunner.run(command)
    #expect(result.text == "         2 ReqURL         c /first\n")
    #expect(result.errorText.isEmpty)
    #expect(result.status == 0)
  }

  // MARK: Running

  static func run(_ arguments: [String], over log: LogFileBuilder? = nil) throws -> ProcessResult {
    var command = try Subject.found().log((log == nil ? [] : ["-r", "-"]) + arguments)
    command.environment = ["TZ": "UTC", "LC_ALL": "C", "SPILLWAY_COMPAT": nil]
    if let log { command.input = .bytes(log.bytes) }
    return try ProcessRunner.run(command)
  }

  /// The transactions in an output, sorted.
  private static func transactions(_ result: ProcessResult) -> [String] {
    var transactions: [String] = []
    for line in result.text.split(separator: "\n") {
      if line.hasPrefix("*") { transactions.append("") }
      if !transactions.isEmpty { transactions[transactions.count - 1] += line + "\n" }
    }
    return transactions.sorted()
  }
}
