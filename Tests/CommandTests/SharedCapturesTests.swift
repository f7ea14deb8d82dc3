import TestSupport
import Testing

/// Outputs of one run whose lines are made from the same transactions.
///
/// Each output gets what a run of its own would give, whatever pieces the other outputs need.
@Suite(.enabled(if: Subject.isSpillway))
struct SharedCapturesTests {
  private let home: TemporaryDirectory

  init() throws { home = try TemporaryDirectory() }

  /// Outputs whose pieces are shared by several, used twice by one, with a rule or without, or used by no
  /// other.
  static let outputs = [
    "",
    "format-text='%U %{X-Twice:first}i %{X-Twice}i %{X-Gone}o' query='RespStatus >= 500'",
    "format-text='%{X-Twice}i %{x-twice:last}i %{Host}i %{VCL_Log:key}x %D'",
    "json format-text='{\"r\":\"%r\",\"x\":\"%{X-Twice}i\",\"l\":\"%{VSL:VCL_Log}x\",\"u\":\"%u\"}'",
    "json format-text='{\"x\":\"%{X-Twice:last}i\",\"t\":%T}' query='ReqURL ~ 7'",
    "format=json",
    "format-text='%{VCL_Log:key}x %{VSL:ReqStart[2]}x %{X-Gone}o %s %{Varnish:handling}x' limit=40",
    "format-text='%{Varnish:side}x %{Varnish:vxid}x %b' sample=1/3",
    "format-text='%{Host}i %{X-Gone}o %{Varnish:time_firstbyte}x' query='BerespStatus == 200'",
    "format-text='%{VSL:ReqURL}x' side=client query='not ReqHeader:Host ~ long'",
    "show=groups",
  ]

  /// Requests with fetches, restarts, headers that occur twice or are removed again, and values that a server
  /// may have cut.
  static func lines(_ count: Int) -> String {
    (1...count).map { number in
      let (request, fetch) = (number * 2, number * 2 + 1)
      let length = number % 50 == 9 ? 300 : number % 10 == 3 ? 254 : 20
      let host = "Host: long" + String(repeating: "y", count: length - 10)
      let url = "/\(number)?" + String(repeating: "q", count: number % 20 == 5 ? 252 - "\(number)".count : 9)
      return """
        \(fetch) b Begin bereq \(request) fetch
        \(fetch) b Timestamp Start: 1700000000.\(100_000 + number) 0.000000 0.000000
        \(fetch) b BereqMethod GET
        \(fetch) b BereqURL \(url)
        \(fetch) b BereqHeader \(host)
        \(fetch) b BereqHeader X-Twice: fetched
        \(fetch) b BerespStatus \(number % 3 == 0 ? 200 : 404)
        \(fetch) b BerespHeader X-Gone: here
        \(fetch) b VCL_call BACKEND_RESPONSE
        \(fetch) b BerespUnset X-Gone: here
        \(fetch) b End
        \(request) c Begin req 1 rxreq
        \(request) c Timestamp Start: 1700000000.\(100_000 + number) 0.000000 0.000000
        \(request) c ReqStart 192.0.2.1 1234 a0
        \(request) c ReqMethod GET
        \(request) c ReqURL \(url)
        \(request) c ReqProtocol HTTP/1.1
        \(request) c \(number % 4 == 0 ? "ReqHeader \(host)" : "ReqHeader Host: short")
        \(request) c ReqHeader X-Twice: one \(number)
        \(request) c ReqHeader Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==
        \(request) c ReqHeader X-Twice: two
        \(request) c VCL_call RECV
        \(request) c VCL_Log key: value \(number)
        \(request) c ReqUnset \(host)
        \(request) c ReqUnset X-Twice: one \(number)
        \(request) c ReqHeader X-Twice: three
        \(request) c VCL_call \(number % 2 == 0 ? "HIT" : "MISS")
        \(request) c RespStatus \(number % 7 == 0 ? 503 : 200)
        \(request) c RespHeader X-Gone: there
        \(request) c RespUnset X-Gone: there
        \(request) c Timestamp Process: 1700000000.2 0.100000 0.100000
        \(request) c Timestamp Resp: 1700000001.5 1.500000 0.100000
        \(request) c ReqAcct 100 0 100 200 500 700
        \(request) c Link bereq \(fetch) fetch
        \(number % 11 == 0 ? "\(request) c VCL_return restart\n" : "")\(request) c End
        """
    }.joined(separator: "\n")
  }

  /// Runs the program with several outputs; returns each output's file and account.
  private func run(
    _ outputs: [(index: Int, settings: String)], _ arguments: [String]
  ) throws -> [(text: String, account: String)] {
    let options = outputs.flatMap { output in
      ["--output", "file=\(home.file("\(output.index)")) \(output.settings)"]
    }
    let result = try ProcessRunner.run(
      Command(try Subject.found().path, ["ncsa", "-bc", "--report", "1h"] + arguments + options))
    try #require(result.status == 0, "\(result.errorText.prefix(1000))")
    let accounts = result.errorText.split(separator: "\n").map { line in
      line.split(separator: " ").filter { $0.contains("=") }.joined(separator: " ")
    }
    try #require(accounts.count == outputs.count, "\(result.errorText.prefix(1000))")
    return try zip(outputs, accounts).map { output, account in
      (String(decoding: try readFile(home.file("\(output.index)")), as: UTF8.self), account)
    }
  }

  /// Compares a run with all outputs with a run for each.
  private func compare(_ settings: [String], _ arguments: [String]) throws {
    let outputs = settings.enumerated().map { (index: $0.offset, settings: $0.element) }
    let arguments = ["-r", home.file("log")] + arguments
    let together = try run(outputs, arguments)
    for (output, found) in zip(outputs, together) {
      let expected = try run([output], arguments)[0]
      #expect(found.text == expected.text, "\(arguments) \(output.settings)")
      // An output that reaches its limit ends a run that has no other outputs.
      if output.settings.contains("limit") { continue }
      #expect(found.account == expected.account, "\(arguments) \(output.settings)")
    }
    #expect(
      together.count { $0.text.count > 1000 } * 2 > outputs.count,
      "hardly anything is shown: \(arguments)")
    #expect(together.contains { $0.account.contains("truncated=") }, "no value seems cut: \(arguments)")
  }

  @Test(arguments: ["vxid", "request"], [SampleLayout.twoWord, .threeWord])
  func `each output gets the bytes and the account of a run of its own`(
    grouping: String, layout: SampleLayout
  ) throws {
    try LogFileBuilder(layout, lines: Self.lines(400)).write(to: home.file("log"))
    try compare(Self.outputs, ["-g", grouping])
  }

  /// Releases that differ in which records count, and in what can be shared.
  @Test(arguments: ["4.1.0", "6.0.0", "7.1.0"])
  func `so it does by the rules of a release`(version: String) throws {
    try LogFileBuilder(lines: Self.lines(200)).write(to: home.file("log"))
    let isOldest = version.hasPrefix("4")
    let outputs = Self.outputs.map { $0.replacing(":first", with: "").replacing(":last", with: "") }
      .filter { settings in !isOldest || !["VSL", "vxid", "format=json"].contains { settings.contains($0) } }
    try compare(outputs, ["--compat", version])
  }

  @Test func `so it does where several threads read a file`() throws {
    // Several chunks of 2 MiB; making records takes longer than reading them.
    let bytes = LogFileBuilder(lines: Self.lines(500)).bytes
    let magic = SampleLayout.twoWord.fileMagic
    let log = (0..<13).reduce(into: magic) { log, _ in log += bytes.dropFirst(magic.count) }
    try #require(log.count > 3 * (2 << 20))
    try writeFile(home.file("log"), log)
    // With the other outputs, a file is read in order.
    let outputs = Self.outputs.filter { !$0.contains("limit") && !$0.contains("show") }
    try compare(outputs, ["--threads", "2"])
  }

  /// There are more outputs than can share captures.
  @Test func `so does each of a hundred outputs`() throws {
    try LogFileBuilder(.threeWord, lines: Self.lines(30)).write(to: home.file("log"))
    let rule = ["", ":first", ":last"]
    let outputs = (0..<100).map { index -> (index: Int, settings: String) in
      let format = "%{X-Twice\(rule[index % 3])}i %{Host}i %{VSL:ReqStart[\(index % 5 + 1)]}x"
      return (index: index, settings: "format-text='\(format)'")
    }
    let arguments = ["-r", home.file("log")]
    let together = try run(outputs, arguments)
    for index in [0, 1, 2, 61, 62, 63, 64, 65, 98, 99] {
      let expected = try run([outputs[index]], arguments)[0]
      #expect(together[index] == expected, "\(outputs[index].settings)")
    }
  }
}
