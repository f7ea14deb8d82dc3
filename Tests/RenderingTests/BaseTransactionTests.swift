import TestSupport
import Testing

/// Every specifier on one ordinary request.
@Suite(.needs(.subject))
struct BaseTransactionTests {
  static let records = """
    Timestamp Start: 1700000000.123456 0.000000 0.000000
    Timestamp Req: 1700000000.123456 0.000000 0.000000
    VCL_use boot
    ReqStart 192.0.2.7 51234 a0
    ReqMethod GET
    ReqURL /path/x?q=1&r=2
    ReqProtocol HTTP/1.1
    ReqHeader Host: example.com
    ReqHeader User-Agent: UA/1.0 "quoted"
    ReqHeader Referer: http://ref/
    ReqHeader Authorization: Basic dXNlcjpwYXNz
    ReqHeader X-Two: first
    VCL_call RECV
    ReqHeader X-Two: second
    VCL_Log key: value one
    VCL_Log key: value two
    VCL_return hash
    VCL_call HASH
    VCL_return lookup
    VCL_call MISS
    VCL_return fetch
    Link bereq 3 fetch
    Timestamp Fetch: 1700000000.223456 0.100000 0.100000
    RespProtocol HTTP/1.1
    RespStatus 200
    RespReason OK
    RespHeader Content-Type: text/plain
    VCL_call DELIVER
    VCL_return deliver
    Timestamp Process: 1700000000.233456 0.110000 0.010000
    Filters
    Timestamp Resp: 1700000001.623456 1.500000 1.390000
    ReqAcct 81 5 86 236 9 245
    """

  static let defaultLine =
    #"192.0.2.7 - user [14/Nov/2023:22:13:20 +0000] "GET http://example.com/path/x?q=1&r=2 HTTP/1.1" "#
    + #"200 9 "http://ref/" "UA/1.0 \"quoted\"""#

  /// Formats and lines; one run prints all formats of a row, separated by a bar.
  static let rows: [([String], [String])] = [
    (
      ["%b", "%D", "%h", "%H", "%I", "%l", "%m", "%O"],
      ["9", "1500000", "192.0.2.7", "HTTP/1.1", "86", "-", "GET", "245"]
    ),
    (
      ["%q", "%r", "%s"],
      ["?q=1&r=2", "GET http://example.com/path/x?q=1&r=2 HTTP/1.1", "200"]
    ),
    (["%t", "%T", "%u", "%U"], ["[14/Nov/2023:22:13:20 +0000]", "1", "user", "/path/x"]),
    (
      ["%{Host}i", "%{host}i", "%{Nope}i", "%{content-type}o", "%{Nope}o"],
      ["example.com", "example.com", "-", "text/plain", "-"]
    ),
    (["%{%Y-%m-%dT%H:%M:%S}t"], ["2023-11-14T22:13:20"]),
    (["%{sec}t", "%{msec}t", "%{usec}t"], ["1700000000", "1700000000123", "1700000000123456"]),
    (["%{msec_frac}t", "%{usec_frac}t", "%{msecX}t"], ["123", "123456", "msecX"]),
    (["%{s}T", "%{ms}T", "%{us}T"], ["1", "1500", "1500000"]),
    (["%{Varnish:time_firstbyte}x"], ["0.110000"]),
    (
      [
        "%{Varnish:hitmiss}x", "%{Varnish:handling}x", "%{Varnish:side}x", "%{Varnish:vxid}x",
      ], ["miss", "miss", "c", "2"]
    ),
    (
      ["%{VCL_Log:key}x", "%{VCL_Log:KEY}x", "%{VCL_Log:ke}x", "%{VCL_Log:nope}x"],
      ["value one", "", "", ""]
    ),
    (["%{VSL:Timestamp}x"], ["Start: 1700000000.123456 0.000000 0.000000"]),
    (["%{VSL:Timestamp[2]}x"], ["1700000000.123456"]),
    (
      ["%{VSL:Timestamp:Resp}x", "%{VSL:Timestamp:Resp[1]}x", "%{VSL:Timestamp:resp[2]}x"],
      ["1700000001.623456 1.500000 1.390000", "1700000001.623456", "1.500000"]
    ),
    (["%{VSL:ReqHeader:X-Two}x", "%{VSL:ReqHeader:host[1]}x"], ["first", "example.com"]),
    (
      [
        "%{VSL:reqm}x", "%{VSL:ReqAcct[7]}x", "%{VSL:Begin}x", "%{VSL:End}x", "%{VSL:Filters}x",
        "%{VSL:RespUnset}x",
      ], ["GET", "-", "req 1 rxreq", "", "", "-"]
    ),
    ([#"abc\n\t\q\\x\"#], ["abc\n\tq\\x\\"]),
    ([#"a"b\"c"#], [#"a"b"c"#]),
    ([#"a\%b \{ \" \r \x41"#], [#"a%b { " r x41"#]),
    (["%{a{b}c}i", "%{}i"], ["-", "-"]),
    ([""], [""]),
    ([#"%{%s %3N %% \n%Q}t"#], [#"1700000000 %3N % \n%Q"#]),
  ]

  static let vectors: [LineVector] =
    rows.map { formats, values in
      let expected = values.joined(separator: "|") + "\n"
      return .request(records, formats.joined(separator: "|"), expected)
    } + [
      .request(records, nil, defaultLine + "\n"),
      .request(records, "%{x-two}i", "second\n", since77: "first\n"),
    ]

  @Test(arguments: vectors) func `prints what 7.1 prints`(_ vector: LineVector) throws {
    let output = try vector.output(of: Subject.found(), compat: "7.1")
    #expect(output == vector.expected)
  }

  @Test(arguments: vectors) func `prints what 7.7 prints`(_ vector: LineVector) throws {
    let output = try vector.output(of: Subject.found(), layout: .threeWord, compat: "7.7")
    #expect(output == vector.expectedSince77 ?? vector.expected)
  }

  @Test(.needs(.reference), arguments: vectors)
  func `the table is right about 7.1`(_ vector: LineVector) throws {
    let reference = try #require(Subject.reference)
    #expect(try vector.output(of: reference) == vector.expected)
  }

  @Test(arguments: [
    ("America/New_York", "[14/Nov/2023:17:13:20 -0500]"),
    ("Asia/Kolkata", "[15/Nov/2023:03:43:20 +0530]"), ("UTC", "[14/Nov/2023:22:13:20 +0000]"),
  ])
  func `times are local to TZ`(zone: String, expected: String) throws {
    let log = LogFileBuilder(lines: LineVector.requestLines(Self.records))
    let result = try Subject.found().run(over: log, ["-F", "%t"], environment: ["TZ": zone])
    #expect(result.text == expected + "\n")
  }

  @Test func `months have English names whatever the locale`() throws {
    let log = LogFileBuilder(lines: LineVector.requestLines(Self.records))
    let result = try Subject.found().run(
      over: log, ["-F", "%{%b %B %a}t"], environment: ["LC_ALL": "de_DE.UTF-8"])
    #expect(result.text == "Nov November Tue\n")
  }

  @Test(arguments: ["7.5", "8.0", "9.0"])
  func `the default format can be put into another`(version: String) throws {
    let vector = LineVector.request(
      Self.records, "X %{Varnish:default_format}x %D", "X \(Self.defaultLine) 1500000\n")
    let output = try vector.output(of: Subject.found(), layout: .threeWord, compat: version)
    #expect(output == vector.expected)
  }

  @Test func `Vinyl is another name for Varnish`() throws {
    let vector = LineVector.request(
      Self.records, "%{Vinyl:hitmiss}x %{Vinyl:vxid}x %{Vinyl:time_firstbyte}x",
      "miss 2 0.110000\n")
    #expect(try vector.output(of: Subject.found()) == vector.expected)
    #expect(try vector.output(of: Subject.found(), compat: "7.1") == vector.expected)
  }
}
