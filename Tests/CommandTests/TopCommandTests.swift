import Glibc
import TestSupport
import Testing

/// `spillway top` where it prints text, and its behaviour when called by the name of its predecessor.
@Suite(.needs(.spillway))
struct TopCommandTests {
  private static func run(_ arguments: [String], as name: String? = nil) throws -> ProcessResult {
    let path = try Subject.found().path
    var command = TestSupport.Command(path, name == nil ? ["top"] + arguments : arguments, name: name)
    command.environment = ["SPILLWAY_COMPAT": nil, "VARNISH_DEFAULT_N": nil, "VINYL_DEFAULT_N": nil]
    return try ProcessRunner.run(command)
  }

  /// The columns of the rows, without the headings and the lines below.
  private static func rows(_ result: ProcessResult) -> [[String]] {
    result.text.split(separator: "\n").dropFirst().dropLast().map {
      $0.split(separator: " ").map(String.init)
    }
  }

  @Test func `hosts and paths are counted with rate, share, bytes, times and misses`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      try PictureLog.write(PictureLog.requests, to: home.file("log"))
      let result = try Self.run(["-r", home.file("log")])
      #expect(result.status == 0 && result.errorText.isEmpty)
      let rows = Self.rows(result)
      #expect(rows.map { $0[0] } == ["32", "16", "8", "4", "2", "1"])
      #expect(rows.map { $0[7] + $0[8] }[0...1] == ["www0.example.com/page/0", "www1.example.com/page/1"])
      // 32 of 63 requests, each with 500 bytes and 200 bytes of headers.
      #expect(rows[0][1...] == ["0", "-", "50.8%", "22400", "288us", "0", "www0.example.com", "/page/0"])
      #expect(rows[2][6] == "8" && rows[2][3] == "12.7%")
      #expect(result.text.hasSuffix("63 counted, 6 keys held; any other came 0 times at most\n"))
    }
  }

  @Test func `keys of one field or several, of tags and of formats`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      try PictureLog.write(PictureLog.requests, to: home.file("log"))
      func keys(_ arguments: String...) throws -> [[String]] {
        let result = try Self.run(["-r", home.file("log")] + arguments)
        #expect(result.status == 0, "\(result.errorText)")
        return Self.rows(result).map { [$0[0]] + $0[7...] }
      }
      #expect(try keys("--by", "%{Host}i") == [["42", "www0.example.com"], ["21", "www1.example.com"]])
      #expect(
        try keys("--by", "%m", "--by", "%{Varnish:handling}x") == [
          ["54", "GET", "hit"], ["9", "GET", "miss"],
        ])
      #expect(try keys("--by", "%m", "-i", "RespStatus") == [["63", "GET", "200"]])
      #expect(
        try keys("-i", "ReqMethod,RespStatus") == [
          ["63", "ReqMethod", "GET"], ["63", "RespStatus", "200"],
        ])
      #expect(try keys("-I", "ReqURL:/[01]") == [["32", "ReqURL", "/page/0"], ["16", "ReqURL", "/page/1"]])
      #expect(try keys("--limit", "1", "--by", "%U") == [["32", "/page/0"]])
      #expect(try keys("-q", "ReqURL ~ 3", "--by", "%U") == [["4", "/page/3"]])
      #expect(try keys("-b", "--by", "%U").isEmpty)
    }
  }

  @Test func `keys that are as frequent come by their bytes, each time`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      let requests = (0..<40).map { PictureLog.Request(path: "/\(($0 * 7) % 40 + 10)") }
      try PictureLog.write(requests, to: home.file("log"))
      for _ in 0..<3 {
        let rows = Self.rows(try Self.run(["-r", home.file("log"), "--by", "%U"]))
        #expect(rows.map { $0.last } == (10..<50).map { "/\($0)" })
      }
    }
  }

  @Test func `JSON has the same, and what a count may be at most`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      try PictureLog.write(PictureLog.requests, to: home.file("log"))
      let result = try Self.run(["-j", "-r", home.file("log"), "--by", "%U", "--limit", "1"])
      #expect(
        result.text == """
          {"by":["%U"],"counted":63,"seconds":null,"keys":6,"others_max":0,"top":[{"key":["/page/0"],"count":32,\
          "count_max":32,"rate":null,"share":0.508,"bytes":22400,"p99_us":287,"misses":0}]}

          """)
    }
  }

  @Test func `of more keys than are kept, the frequent ones come out, with their error`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      var requests: [PictureLog.Request] = []
      for number in 0..<3000 {
        requests.append(PictureLog.Request(path: "/once/\(number)"))
        if number % 3 == 0 { requests.append(PictureLog.Request(path: "/often")) }
      }
      try PictureLog.write(requests, to: home.file("log"))
      let result = try Self.run(["-r", home.file("log"), "--keys", "64", "-i", "ReqURL", "--limit", "1"])
      let row = try #require(Self.rows(result).first)
      let (count, error) = (Int(row[0]) ?? 0, Int(row[1]) ?? 0)
      #expect(row.last == "/often" && count <= 1000 && count + error >= 1000)
      #expect(result.text.contains("4000 counted"))
    }
  }

  @Test func `whatever a client sends, a row stays a row, and a column a column`() async throws {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      var builder = LogFileBuilder()
      let hostile = [
        "/a\tb\t1\t2\thit\t3", "", "/\u{1B}[31mred", "/new\nline", String(repeating: "x", count: 9000),
        "\"\\",
      ]
      for (number, path) in hostile.enumerated() {
        for record in PictureLog.Request(path: path).records(UInt64(2 + number)) { builder.add(record) }
      }
      try builder.write(to: home.file("log"))
      for arguments in [["--by", "%U", "--by", "%m"], ["-i", "ReqURL"], ["-f"], ["-g", "raw"]] {
        let result = try Self.run(["-r", home.file("log")] + arguments)
        #expect(result.status == 0)
        #expect(!result.output.contains { $0 < 0x20 && $0 != UInt8(ascii: "\n") }, "\(arguments)")
        for row in Self.rows(result) { #expect(Int(row[0]) != nil, "\(arguments): \(row)") }
        #expect(result.output.count < 100_000)
      }
      let lines = try Self.run(["-r", home.file("log"), "--by", "%U", "--by", "%m"])
      #expect(
        Self.rows(lines).allSatisfy { ($0.last == "GET" || $0.last?.hasSuffix("~") == true) && $0[0] == "1" })
      let json = try Self.run(["-j", "-r", home.file("log"), "-i", "ReqURL"])
      #expect(json.text.split(separator: "\n").count == 1 && json.text.contains("new\\\\nline"))
    }
  }

  @Test func `mistakes are said before anything is read`() async throws {
    try await onOwnThread { () throws in
      func complaint(_ arguments: String...) throws -> String {
        let result = try Self.run(arguments + ["-r", "/dev/null"])
        #expect(result.status == 1 && result.output.isEmpty)
        return result.errorText
      }
      #expect(try complaint("-i", "nothing").contains("-i: \"nothing\" matches zero tags"))
      #expect(try complaint("-I", "*").contains("Regex error"))
      #expect(
        try complaint("--by", "%U", "--by", "%{Host") == "spillway: --by: Unmatched bracket at: %{Host\n")
      #expect(try complaint("--by", "%U", "-x", "ReqURL").contains("don't go with --by"))
      #expect(try complaint("-p", "x").contains("Syntax error, x is not a number"))
      #expect(try complaint("-g", "none").contains("Unknown grouping type: none"))
      #expect(try complaint("--limit", "0").contains("--limit"))
    }
  }

  // MARK: By the name of its predecessor

  private static let uses: [[String]] = [
    [], ["-i", "ReqURL"], ["-f", "-i", "ReqStart"], ["-i", "Req*", "-x", "ReqHeader"],
    ["-I", "ReqHeader:^Host"],
    ["-C", "-I", "ReqHeader:user-agent", "-f"], ["-X", "VCL_call"], ["-b"], ["-c"], ["-E"],
    ["-b", "-i", "BereqURL"],
    ["-g", "raw"], ["-g", "request"], ["-g", "session", "-i", "RespStatus"],
    ["-g", "raw", "-c", "-i", "ReqHeader"],
    ["-q", "RespStatus >= 400", "-i", "ReqURL"], ["-g", "request", "-q", "BerespStatus == 200"], ["-f"],
    ["-d", "-i", "Timestamp", "-f"], ["-L", "10", "-i", "ReqURL"], ["-x", "Timestamp,Req*"],
    ["-I", "^/page/.*"],
    ["-X", "[0-9]"], ["-p", "5", "-i", "ReqMethod"], ["-T", "1", "-i", "ReqURL"], ["-f", "-g", "raw"],
  ]

  @Test(.needs(.reference, .program("varnishtop")), arguments: ["5.2", "6.0", "7.1"])
  func `varnishtop's -1 is printed byte for byte`(version: String) async throws {
    try await onOwnThread {
      let log = try Fixture.named(version).path("capture.vsl")
      for use in Self.uses {
        let theirs = try ProcessRunner.run(TestSupport.Command("varnishtop", ["-1", "-r", log] + use))
        let ours = try Self.run(["-1", "-r", log, "--compat", "7.1"] + use, as: "varnishtop")
        // Compared outside the expectation, so that hundreds of lines aren't printed.
        let isSame = ours.output == theirs.output
        #expect(isSame && ours.status == theirs.status, "\(version) \(use): \(ours.errorText)")
      }
    }
  }

  @Test(.needs(.reference, .program("varnishtop"))) func `values of equal counts come in varnishtop's order`()
    async throws
  {
    try await onOwnThread {
      let home = try TemporaryDirectory()
      var random = SeededGenerator(seed: 5)
      var builder = LogFileBuilder()
      builder.add(2, .client, "Begin", "req 1 rxreq")
      let letters: [UInt8] = [0x61, 0x62, 0x63, 0x41, 0x7A, 0x20, 0x3A, 0xC3, 0xFF, 0x09]
      for _ in 0..<2000 {
        let text = (0..<Int.random(in: 0...4, using: &random)).map { _ in
          letters.randomElement(using: &random) ?? 0
        }
        let tag = ["ReqURL", "ReqMethod", "BereqURL"].randomElement(using: &random) ?? ""
        builder.add(SampleRecord(2, .client, tag: builder.tags[tag], bytes: text))
      }
      builder.add(2, .client, "End")
      try builder.write(to: home.file("log"))
      for use in [[], ["-f"], ["-i", "ReqURL"]] as [[String]] {
        let theirs = try ProcessRunner.run(
          TestSupport.Command("varnishtop", ["-1", "-r", home.file("log")] + use))
        let ours = try Self.run(["-1", "-r", home.file("log")] + use, as: "varnishtop")
        let isSame = ours.output == theirs.output
        #expect(isSame && theirs.output.count > 1000, "\(use)")
      }
    }
  }

  @Test func `varnishtop's options are known, and other mistakes are said in its words`() async throws {
    try await onOwnThread {
      let options = try Self.run(["--optstring"], as: "varnishtop")
      #expect(options.text == "1bcCdEfg:hi:I:L:n:p:Q:q:r:t:T:x:X:V\n")
      let none = try Self.run(["-1", "-n", "/nonexistent", "-t", "0"], as: "varnishtop")
      #expect(
        none.status == 1
          && none.errorText.hasPrefix("varnishtop: VSM: Could not get hold of varnishd, is it running?"))
      #expect(try Self.run(["-Z"], as: "varnishtop").errorText.hasPrefix("varnishtop: invalid option -- 'Z'"))
      #expect(try Self.run(["-h"], as: "varnishtop").text.contains("USAGE: varnishtop"))
    }
  }
}
