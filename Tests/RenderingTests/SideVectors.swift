/// Which transactions give a line, and how a backend's line differs.
enum SideVectors {
  private static let start = RecordVectors.start
  private static let bareLine = RecordVectors.bareLine + #"- - "-" "-""# + "\n"

  private static let fetch = """
    2 b Begin bereq 1 fetch
    2 b Timestamp Start: 0 0 0
    2 b BereqMethod GET
    2 b BereqURL /x?y
    2 b BereqProtocol HTTP/1.1
    2 b BereqHeader Host: be
    2 b BackendOpen 20 be 127.0.0.1 80 127.0.0.1 5000
    2 b BackendOpen 20 be 127.0.0.2 80 127.0.0.1 5000
    2 b Timestamp Beresp: 0.5 0.5 0.5
    2 b BerespStatus 200
    2 b BerespHeader X: 1
    2 b VCL_call BACKEND_RESPONSE
    2 b BerespStatus 201
    2 b BerespHeader X: 2
    2 b Timestamp BerespBody: 1 1 0.5
    2 b BereqAcct 146 1 147 136 9 145
    2 b End
    """

  static let all: [LineVector] = [
    LineVector(
      fetch,
      [
        "-b", "-F",
        "%h %H %m %U %q %r %s %b %I %O %D %{Varnish:time_firstbyte}x %{X}o %{Host}i "
          + "%{Varnish:side}x %{Varnish:handling}x",
      ],
      "127.0.0.2 HTTP/1.1 GET /x ?y GET http://be/x?y HTTP/1.1 201 9 147 145 1000000 0.5 2 be b -\n",
      since77:
        "127.0.0.1 HTTP/1.1 GET /x ?y GET http://be/x?y HTTP/1.1 200 9 147 145 1000000 0.5 1 be b -\n"
    ),
    LineVector(fetch, ["-F", "%m"], ""),
    LineVector(fetch, ["-c", "-F", "%m"], ""),
    LineVector(fetch, ["-b", "-c", "-F", "%m"], "GET\n"),
    // The first attempt is superseded by the second.
    LineVector(
      """
      2 c Begin req 1 rxreq
      2 c \(start)
      2 c VCL_return restart
      2 c Link req 3 restart
      2 c End
      3 c Begin req 2 restart
      3 c Timestamp Start: 1 0 0
      3 c End
      """, [],
      #"- - - [01/Jan/1970:00:00:01 +0000] "- http://localhost HTTP/1.0" - - "-" "-""# + "\n"),
    .request(
      "\(start)\nHttpGarbage x\nRespStatus 400", nil,
      RecordVectors.bareLine + #"400 - "-" "-""# + "\n"),
    .request("\(start)\nHttpGarbage x\nRespStatus 400", nil, "", options: ["-j"]),
    begin("2 c Begin req 1 esi", [], "", since77: bareLine),
    begin("2 c Begin req 1 esi", ["-E"], bareLine),
    begin("2 c Begin req 1 rxreq 1", [], bareLine, since77: ""),
    begin("2 c Begin req 1 rxreq 1", ["-E"], bareLine),
    begin("2 c Begin req 1", [], ""),
    begin("2 b Begin req 1 rxreq", [], ""),
    LineVector(
      "2 b Begin req 1 rxreq\n2 b End", ["-b", "-F", "%{Varnish:side}x"], "c\n"),
    begin("2 c Begin foo 1 rxreq", [], ""),
    begin("2 c Begin sess 0 HTTP/1", [], ""),
    LineVector(
      """
      2 c Begin req 1 rxreq
      2 c Link bereq 3 fetch
      3 b Begin bereq 2 fetch
      3 b End
      2 c Link req 4 esi 1
      4 c Begin req 2 esi 1
      4 c End
      2 c End
      """, ["-g", "request", "-F", "%{Varnish:side}x%{Varnish:vxid}x"], "c2\nb3\nc4\n"),
  ]

  private static func begin(
    _ line: String, _ options: [String], _ expected: String, since77: String? = nil
  ) -> LineVector {
    let side = line.dropFirst(2).prefix(1)
    return LineVector(
      "\(line)\n2 \(side) \(start)\n2 \(side) End", options, expected, since77: since77)
  }
}
