import Glibc
import TestSupport
import Testing

/// `spillway hist` where it prints text, and its behaviour when called by the name of its predecessor.
@Suite(.needs(.spillway))
struct HistCommandTests {
  private static func run(_ arguments: [String], as name: String? = nil) throws -> ProcessResult {
    let path = try Subject.found().path
    var command = TestSupport.Command(path, name == nil ? ["hist"] + arguments : arguments, name: name)
    command.environment = ["SPILLWAY_COMPAT": nil, "VARNISH_DEFAULT_N": nil, "VINYL_DEFAULT_N": nil]
    return try ProcessRunner.run(command)
  }

  @Test func `bars and percentiles are printed of the time to the first byte and of the whole`() async throws
  {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let requests =
        [PictureLog.Request](repeating: PictureLog.Request(time: 200), count: 9)
        + [PictureLog.Request(isHit: false, time: 50_000)]
      try PictureLog.write(requests, to: home.file("log"))
      let result = try Self.run(["-r", home.file("log")])
      #expect(result.status == 0 && result.errorText.isEmpty)
      let part = """
        : 10 measured, 9 hits (|), 1 others (#); a row is 1
        p50 202us  p90 202us  p95 49.7ms  p99 49.7ms  p99.9 49.7ms  max 50.0ms
        10_
                          |
                          |
                          |
                          |
        5_                |
                          |
                          |
                          |
                          |                  #
        +-------+-------+-------+-------+-------+-------+-------+-------+-------
        |1e-6   |1e-5   |1e-4   |1e-3   |1e-2   |1e-1   |1e0    |1e1    |1e2

        """
      let none =
        "backend: 0 measured, 0 hits (|), 0 others (#); a row is 1\np50 -  p90 -  p95 -  p99 -  p99.9 -  max -\n"
      #expect(result.text == "ttfb" + part + "\ntotal" + part + "\n" + none)
    }
  }

  @Test func `percentiles of a real log are those of its lines`() async throws {
    try await onOwnThread {
      let log = try Fixture.named("7.1").path("capture.vsl")
      let lines = try ProcessRunner.run(
        TestSupport.Command(
          try Subject.found().path, ["ncsa", "-r", log, "-F", "%{VSL:Timestamp:Process[2]}x"]))
      let times = lines.text.split(separator: "\n").compactMap { Double($0) }.sorted()
      #expect(times.count > 40)
      let json = try Self.run(["-j", "-r", log, "-P", "responsetime"]).text
      #expect(json.contains("\"count\":\(times.count),"))
      for (name, part) in [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)] {
        let pattern = try Regex("\"\(name)\":([0-9]+)")
        let found = try #require(json.firstMatch(of: pattern)?.output[1].substring.flatMap { Double($0) })
        let exact = 1e6 * times[max(1, Int((part * Double(times.count)).rounded(.up))) - 1]
        #expect(abs(found - exact) <= exact / 64 + 1, "\(name): \(found), \(exact)")
      }
    }
  }

  @Test func `profiles are those of varnishhist, by name and by what they are`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      try PictureLog.write([PictureLog.Request(bytes: 4096)], to: home.file("log"))
      func maximum(_ profile: String) throws -> String {
        let result = try Self.run(["-j", "-r", home.file("log"), "-P", profile])
        return String(result.text.firstMatch(of: /"max":([^}]*)/)?.output.1 ?? "none")
      }
      #expect(try maximum("responsetime") == "1000")
      #expect(try maximum("size") == "4096")
      #expect(try maximum("Size") == "4096")
      #expect(try maximum("c:Timestamp:Resp::3") == "none")
      #expect(try maximum("Timestamp:Resp:3") == "1000")
      #expect(try maximum("c:ReqAcct::6:0:7") == "4296")
      #expect(try maximum("b:ReqAcct::6") == "null")
      for wrong in [
        "nothing", "c:Nothing::5", "c:ReqAcct", "c:ReqAcct::0", "c:ReqAcct::5:3:1", "c:ReqAcct::5:1",
      ] {
        let result = try Self.run(["-r", home.file("log"), "-P", wrong])
        #expect(result.status == 1 && result.errorText.contains("-P: "), "\(wrong): \(result.errorText)")
      }
    }
  }

  @Test func `with -B a captured log lasts as long as it did, by the factor`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let start = PictureLog.Request().start
      try PictureLog.write(
        [PictureLog.Request(start: start), PictureLog.Request(start: start + 1)], to: home.file("log"))
      let clock = ContinuousClock()
      for (factor, least) in [("4", 0.25), ("1", 1)] {
        var text = ""
        let time = try clock.measure {
          text = try Self.run(["-B", factor, "-j", "-r", home.file("log")]).text
        }
        #expect(time > .seconds(least) && text.contains("\"count\":2,"), "\(factor): \(time) \(text)")
      }
    }
  }

  @Test func `varnishhist's mistakes are said in its words`() async throws {
    try await onOwnThread { () throws in
      func complaint(_ arguments: String...) throws -> String {
        try Self.run(arguments + ["-r", "/dev/null"], as: "varnishhist").errorText
      }
      #expect(try complaint("-P", "foo") == "varnishhist: -P: No such profile 'foo'\n")
      #expect(
        try complaint("-g", "session")
          == "varnishhist: Invalid grouping mode: session (only vxid and request are supported)\n")
      #expect(try complaint("-p", "x") == "varnishhist: -p: invalid 'x'\n")
      #expect(try complaint("-B", "0").contains("being able to bend time"))
      #expect(
        try Self.run(["--optstring"], as: "varnishhist").text == "B:Cdg:hL:n:p:P:P:P:P:P:P:P:P:Q:q:r:t:T:V\n")
    }
  }
}
