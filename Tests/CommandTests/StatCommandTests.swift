import Glibc
import TestSupport
import Testing

/// `spillway stat` where it prints text.
@Suite(.needs(.spillway))
struct StatCommandTests {
  private static func run(_ arguments: [String], as name: String? = nil) throws -> ProcessResult {
    let path = try Subject.found().path
    var command = TestSupport.Command(path, name == nil ? ["stat"] + arguments : arguments, name: name)
    command.environment = ["SPILLWAY_COMPAT": nil, "VARNISH_DEFAULT_N": nil, "VINYL_DEFAULT_N": nil]
    return try ProcessRunner.run(command)
  }

  /// The output without the time.
  private static func timeless(_ text: String) -> String {
    text.replacing(/timestamp(.{1,3}")[-0-9T:]{19}"/) { "timestamp\($0.output.1)TIME\"" }
  }

  /// The expected output is that of Varnish 7.1.1's varnishstat for the files of each release; for 5.2, which
  /// it can't read, that of the release's own varnishstat.
  @Test(arguments: ["5.2", "6.0", "7.1", "7.3", "8.0", "9.0"])
  func `a copied directory of each release is printed byte for byte`(version: String) async throws {
    try await onOwnThread {
      let fixture = try Fixture.named("counters-\(version)")
      for (option, form) in [("-1", "table"), ("-l", "names"), ("-j", "json"), ("-x", "xml")] {
        if version == "5.2", form == "xml" { continue }
        let rules = version == "5.2" ? [] : ["--compat", "7.1"]
        let result = try Self.run(["-n", fixture.path("instance"), option] + rules)
        #expect(result.status == 0 && result.errorText.isEmpty, "\(result.errorText)")
        let expected = String(decoding: try fixture.bytes(form + ".out"), as: UTF8.self)
        // Compared outside the expectation, so that hundreds of lines aren't printed.
        let isSame = Self.timeless(result.text) == Self.timeless(expected)
        #expect(isSame, "\(version) \(option)")
      }
    }
  }

  @Test func `the JSON of a release is that of its time`() throws {
    func json(_ version: String, _ options: [String] = [], as name: String? = nil) throws -> String {
      let instance = try Fixture.named("counters-\(version)").path("instance")
      return try Self.run(["-n", instance, "-j"] + options, as: name).text
    }
    #expect(try json("7.1").hasPrefix("{\n  \"version\": 1,\n"))
    #expect(try json("7.1", ["--compat", "6.0"]).hasPrefix("{\n  \"timestamp\": "))
    #expect(try json("5.2").hasPrefix("{\n  \"timestamp\": "))
    #expect(try json("5.2", ["--compat", "9.0"]).hasPrefix("{\n  \"version\": 1,\n"))
    #expect(try json("7.1", as: "varnishstat").hasPrefix("{\n  \"version\": 1,\n"))
  }

  @Test func `patterns count in their order, and before 6 5 those that exclude count first`() throws {
    let instance = try Fixture.named("counters-7.1").path("instance")
    func count(_ arguments: String...) throws -> Int {
      try Self.run(["-n", instance] + arguments).text.split(separator: "\n").count
    }
    #expect(try count("-I", "MAIN.*", "-X", "MAIN.uptime") == 144)
    #expect(try count("-I", "MAIN.*", "-X", "MAIN.uptime", "--compat", "6.0") == 143)
    #expect(try count("-fMGT.*") == 7)
    #expect(try count("-1f", "^MAIN.*") == 224)
    #expect(try count("-X", "MAIN.*", "-f", "M*", "-I", "VBE.*") == 100)
    #expect(try count("-f", "none") == 0)
  }

  @Test func `what only its release knew is listed by its place`() throws {
    let home = try TemporaryDirectory()
    let server = try ChunkFile(path: home.file("_.vsm"), byteCount: 1 << 16)
    let main = server.allocate("Stat", type: "MAIN", byteCount: 24)
    let lock = server.allocate("Stat", type: "LCK", name: "sms", byteCount: 16)
    server.file.store(UInt64(17), at: main.lowerBound + 8)
    server.file.store(UInt64.max, at: lock.lowerBound)
    try server.file.publish()
    let result = try Self.run(["-n", home.path, "-1", "-X", "*@16"])
    #expect(result.status == 0, "\(result.errorText)")
    let lines = result.text.split(separator: "\n").map { $0.split(separator: " ").prefix(3) }
    #expect(
      lines == [
        ["MAIN@0", "0", "."], ["MAIN@8", "17", "."], ["LCK.sms@0", "18446744073709551615", "."],
        ["LCK.sms@8", "0", "."],
      ])
    #expect(result.text.split(separator: "\n").allSatisfy { $0.contains("which its log doesn't describe") })
    let json = try Self.run(["-N", home.file("_.vsm"), "-j", "-I", "MAIN@8"]).text
    #expect(json.contains("\"flag\": \"?\"") && json.contains("\"value\": 17\n"))
    server.abandon()
    #expect(try Self.run(["-n", home.path, "-t", "0"]).status == 1)
    #expect(try Self.run(["-N", home.file("_.vsm")]).status == 0)
  }

  @Test func `mistakes are said in one line, and end with 1`() throws {
    let instance = try Fixture.named("counters-7.1").path("instance")
    let cases: [([String], String)] = [
      (["-q"], "invalid option -- 'q'"), (["-n"], "option requires an argument -- 'n'"),
      (["-1", "more"], "unexpected argument: more"),
      (["-t", "soon", "-n", instance], "-t: Invalid argument: soon"),
      (["-w", "0", "-n", instance], "-w: 0 is not a number of seconds from 0.1 to 86400"),
      (["-n", instance, "-N", "x"], "-n and -N can not be combined"),
      (["-c", "-j", "-n", instance], "-c goes with none of -1, -j, -l and -x"),
      (["--compat", "1", "-n", instance], "--compat: \"1\" is not a Varnish version from 2.0 to 9.0"),
      (["-N", "/nonexistent"], "Could not get hold of varnishd, is it running? (/nonexistent: "),
    ]
    for (arguments, words) in cases {
      let result = try Self.run((arguments.contains("-t") ? [] : ["-t", "0"]) + arguments)
      #expect(result.status == 1 && result.output.isEmpty, "\(arguments)")
      #expect(result.errorText.hasPrefix("spillway: \(words)"), "\(result.errorText)")
    }
    let home = try TemporaryDirectory()
    let result = try Self.run(["-n", home.file("none"), "-t", "0"], as: "varnishstat")
    #expect(result.status == 1)
    #expect(
      result.errorText
        == "varnishstat: Could not get hold of varnishd, is it running? (\(home.file("none")): "
        + "No such file or directory)\n")
  }

  @Test func `an instance that comes in time is waited for`() async throws {
    try await onOwnThread {
      let server = try CounterServer(slotCount: 1, counterCount: 1)
      try server.add("MAIN", in: 0, [42])
      let aside = server.path + ".aside"
      rename(server.path, aside)
      var command = TestSupport.Command(
        try Subject.found().path, ["stat", "-1", "-n", server.path, "-t", "off"])
      command.environment = ["SPILLWAY_COMPAT": nil]
      let child = try ChildProcess(command)
      try child.errorOutput?.line(containing: "waiting for varnishd", by: .after(.seconds(20)))
      rename(aside, server.path)
      #expect(
        try child.output?.line(containing: "MAIN.c0", by: .after(.seconds(20))).contains(" 42 ") == true)
      #expect(try child.wait(by: .after(.seconds(20))).status == 0)
    }
  }

  @Test func `an interval may be as long as a day`() async throws {
    try await onOwnThread {
      let server = try CounterServer(slotCount: 1, counterCount: 1)
      try server.add("MAIN", in: 0, [1])
      let child = try ChildProcess(
        TestSupport.Command(try Subject.found().path, ["stat", "-1", "-w", "86400", "-n", server.path]))
      try child.output?.line(containing: "MAIN.c0 ", by: .after(.seconds(20)))
      let hasEnded = try poll(until: .after(.milliseconds(300))) { !child.isRunning }
      #expect(!hasEnded)
      child.signal(SIGTERM)
      _ = try child.wait(by: .after(.seconds(10)))
    }
  }

  @Test func `with an interval what is printed is printed again`() async throws {
    try await onOwnThread {
      let server = try CounterServer(slotCount: 1, counterCount: 1)
      try server.add("MAIN", in: 0, [1])
      let child = try ChildProcess(
        TestSupport.Command(try Subject.found().path, ["stat", "-1", "-w", "0.1", "-n", server.path]))
      let output = try #require(child.output)
      try output.line(containing: "MAIN.c0                      1 ", by: .after(.seconds(20)))
      server.set(0, [2])
      try output.line(containing: "MAIN.c0                      2 ", by: .after(.seconds(20)))
      child.signal(SIGTERM)
      _ = try child.wait(by: .after(.seconds(10)))
    }
  }
}
