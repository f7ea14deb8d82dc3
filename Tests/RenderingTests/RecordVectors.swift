/// Which records count for a line, and what is printed for missing ones.
enum RecordVectors {
  static let start = "Timestamp Start: 1700000000.000000 0 0"
  static let handling = "%{Varnish:hitmiss}x/%{Varnish:handling}x"
  static let bareLine =
    #"- - - [14/Nov/2023:22:13:20 +0000] "- http://localhost HTTP/1.0" "#
  private static let everything =
    "%s|%b|%h|%m|%U|%q|%H|%r|%I|%O|%u|%l|%{Host}i|%{A}o|%{Varnish:time_firstbyte}x"
    + "|%{Varnish:hitmiss}x|%{Varnish:handling}x|%{VCL_Log:a}x|%{VSL:Hit}x"

  static let missing: [LineVector] = [
    .request("", nil, ""),
    .request(
      "", everything, "-|-|-|-|-||HTTP/1.0|- http://localhost HTTP/1.0|-|-|-|-|-|-|-|-|-||-\n"),
    .request(
      "", everything, "0|0|||||HTTP/1.0|- http://localhost HTTP/1.0|0|0|-|-|||0|-|-||\n",
      options: ["-j"]),
    .request(start, nil, bareLine + #"- - "-" "-""# + "\n"),
    .request(
      start, nil,
      #" - - [14/Nov/2023:22:13:20 +0000] "- http://localhost HTTP/1.0" 0 0 "" """# + "\n",
      options: ["-j"]),
  ]

  static let times: [LineVector] = [
    .request("Timestamp Start: 17x 0 0\n\(start)", "%t", ""),
    .request("Timestamp Start: nan 0 0", "%{sec}t", ""),
    .request("Timestamp Start: 1.7e9 0 0", "%{sec}t", "1700000000\n"),
    .request("Timestamp Start: 0x10 0 0", "%{sec}t", "16\n"),
    .request(
      "Timestamp start:   1700000000.5 0 0", "%{usec}t %{usec_frac}t %{msec_frac}t",
      "1700000000500000 500000 500\n"),
    .request(
      """
      Timestamp Start: 1700000000.999999 0 0
      Timestamp Resp: 1700000001.000000 0 0
      """, "%{usec}t %{usec_frac}t %{msec_frac}t %{msec}t %D %{ms}T %T",
      "1700000000999999 999999 999 1700000000999 0 0 0\n"),
    .request(
      "Timestamp Start: 1700000001.5 0 0\nTimestamp Resp: 1700000000.0 0 0", "%D %{ms}T %T",
      "-1500000 -1500 -1\n"),
    .request("\(start)\nTimestamp Resp: zz 0 0", "%D %T", "0 0\n"),
    .request(
      """
      \(start)
      Timestamp Resp: 1700000002.0 0 0
      Timestamp Resp: 1700000005.0 0 0
      Timestamp BerespBody: 1700000007.0 0 0
      """, "%D", "2000000\n"),
    .request(
      "Timestamp Pipe: 1 0.5 0\nTimestamp Process: 1 0.25 0", "%{Varnish:time_firstbyte}x",
      "0.5\n"),
    .request(
      "Timestamp Process: 1\nTimestamp Process: 1 0.25 0", "%{Varnish:time_firstbyte}x",
      "0.25\n"),
  ]

  static let requestParts: [LineVector] = [
    .request(
      """
      ReqMethod GET
      ReqMethod POST
      ReqURL /a?b
      ReqURL /c?d
      ReqProtocol HTTP/1.0
      ReqProtocol HTTP/2.0
      RespStatus 200
      RespStatus 503
      ReqStart 1.1.1.1 1 a0
      ReqStart 2.2.2.2 2 a0
      ReqAcct 1 2 3 4 5 6
      ReqAcct 11 12 13 14 15 16
      ReqHeader Host: one
      ReqHeader Host: two
      """, "%m %U%q %H %s %h %I %b %O %{Host}i %r",
      "GET /a?b HTTP/1.0 503 1.1.1.1 3 5 6 two GET http://one/a?b HTTP/1.0\n",
      since77: "GET /a?b HTTP/1.0 503 1.1.1.1 3 5 6 one GET http://one/a?b HTTP/1.0\n"),
    .request(
      """
      ReqHeader Host:nospace
      ReqHeader X : y
      ReqHeader Y:   lots   \t\(" ")
      ReqHeader Z:
      ReqHeader W
      ReqHeader V:  \t tab
      """, "[%{Host}i][%{X}i][%{X }i][%{Y}i][%{Z}i][%{W}i][%{V}i] %r",
      "[nospace][-][y][lots][][-][tab] - http://nospace HTTP/1.0\n"),
    .request("ReqHeader Host: http://foo", "%r", "- http://foo HTTP/1.0\n"),
    .request("ReqHeader Host: HTTP://foo", "%r", "- http://HTTP://foo HTTP/1.0\n"),
    .request("ReqHeader Host:\nReqURL /x", "%r", "- http:///x HTTP/1.0\n"),
    .request("ReqURL", "[%U][%q] %r", "[][] - http://localhost HTTP/1.0\n"),
    .request("ReqURL ?", "[%U][%q] %r", "[][?] - http://localhost? HTTP/1.0\n"),
    .request(
      "ReqURL /a??b?c", "[%U][%q] %r", "[/a][??b?c] - http://localhost/a??b?c HTTP/1.0\n"),
    .request(
      "ReqURL http://h/a?c", "[%U][%q] %r",
      "[http://h/a][?c] - http://localhosthttp://h/a?c HTTP/1.0\n"),
    .request("ReqMethod    ", "[%m] %r", "[]  http://localhost HTTP/1.0\n"),
    .request("ReqHeader A: b\0c", "%{A}i", "b\\x00c\n"),
    .request("ReqHeader A: b\0c", "%{A}i", "b\\u0000c\n", options: ["-j"]),
    .request("ReqHeader A: b\0\0", "%{A}i", "b\n"),
  ]

  static let cacheHandling: [LineVector] = [
    .request("VCL_call RECV\nVCL_call hit\nVCL_call PASS", handling, "miss/pass\n"),
    .request("VCL_call MISS\nVCL_call RECV", handling, "-/-\n"),
    .request("VCL_return pipe", handling, "miss/pipe\n"),
    .request(
      "HitMiss 5 1.0\nVCL_call MISS", handling, "miss/miss\n", since77: "miss/hitmiss\n"),
    .request(
      "HitPass 5 1.0\nVCL_call PASS", handling, "miss/pass\n", since77: "miss/hitpass\n"),
    .request("HitMiss 5 1.0\nVCL_call MISS\nVCL_call SYNTH", handling, "miss/synth\n"),
    .request("HitMiss 5 1.0\nVCL_call PASS", handling, "miss/pass\n"),
    .request("VCL_call HIT\nVCL_call DELIVER", handling, "hit/hit\n"),
  ]

  static let accounts: [LineVector] = [
    .request("PipeAcct 84 149 7 8", "%I %O %b", "7 8 -\n"),
    .request("PipeAcct 84 149 7", "%I %O %b", "7 - -\n"),
    .request("ReqAcct 84 149\nReqAcct 1 2 3 4 5 6", "%I %O %b", "3 6 5\n"),
  ]

  static let logged: [LineVector] = [
    .request(
      """
      VCL_Log key:v
      VCL_Log k2:  sp\("  ")
      VCL_Log  k3: x
      VCL_Log k4
      VCL_Log k5:
      """, "[%{VCL_Log:key}x][%{VCL_Log:k2}x][%{VCL_Log:k3}x][%{VCL_Log:k4}x][%{VCL_Log:k5}x]",
      "[v][sp][][][]\n"),
    .request("VCL_Log :v", "[%{VCL_Log:}x]", "[v]\n"),
    .request(
      "VCL_Log a b  c\nVCL_Log d e f",
      "[%{VSL:VCL_Log}x][%{VSL:VCL_Log[2]}x][%{VSL:VCL_Log[3]}x][%{VSL:VCL_Log[4]}x]",
      "[a b  c][b][c][-]\n"),
    .request("VCL_Log a\nVCL_Log d e f", "[%{VSL:VCL_Log[2]}x]", "[e]\n"),
    .request(
      "VCL_Log a:b: c d",
      "[%{VSL:VCL_Log:a}x][%{VSL:VCL_Log:a:b}x][%{VSL:VCL_Log:a:b[2]}x]", "[b: c d][c d][d]\n"),
    .request("Hash ab\0cd", "[%{VSL:Hash}x]", "[ab\\u0000cd\\u0000]\n", options: ["-j"]),
  ]

  private static let policyRecords = """
    ReqMethod GET
    ReqHeader A: a1
    ReqHeader A: a2
    ReqHeader B: b1
    ReqHeader Host: h1
    VCL_call RECV
    ReqMethod POST
    ReqUnset A: a2
    ReqHeader A: a3
    ReqUnset B: b1
    ReqHeader D: d1
    ReqHeader Host: h2
    RespStatus 200
    RespHeader X: x1
    RespHeader Y: y1
    VCL_call DELIVER
    RespHeader X: x2
    RespUnset Y: y1
    RespStatus 201
    """

  static let policy: [LineVector] = [
    .request(
      policyRecords,
      "m=%m A=%{A}i B=%{B}i D=%{D}i Host=%{Host}i X=%{X}o Y=%{Y}o s=%s r=%r",
      "m=GET A=a3 B=b1 D=d1 Host=h2 X=x2 Y=y1 s=201 r=GET http://h1 HTTP/1.0\n",
      since77: "m=GET A=a1 B=b1 D=- Host=h1 X=x2 Y=- s=201 r=GET http://h1 HTTP/1.0\n")
  ]

  /// Only with the rules of 8.0 and newer.
  static let matchRules: [LineVector] = [
    .request(
      policyRecords,
      "%{A:first}i %{A:last}i %{B:first}i %{B:last}i %{D:first}i %{X:first}o %{X:last}o"
        + " %{Y:first}o %{Y:last}o", "a1 a3 b1 b1 d1 x1 x2 y1 y1\n"),
    .request(policyRecords, "%{A:last}i %{A}i", "a3 a3\n"),
    .request(policyRecords, "%{A:firstxyz}i", "a1\n"),
  ]

  static let all = missing + times + requestParts + cacheHandling + accounts + logged + policy
}
