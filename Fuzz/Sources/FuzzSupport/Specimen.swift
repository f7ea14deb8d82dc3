import VarnishLog

/// A transaction on which to try queries and formats.
struct Specimen {
  let vxid: UInt64
  let side: Side
  private(set) var records: [(tag: Tag, payload: [UInt8])] = []

  /// Makes a transaction from lines of a tag and a payload, to which a NUL is added.
  init(_ vxid: UInt64, _ side: Side, _ lines: String) {
    self.vxid = vxid
    self.side = side
    for line in lines.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1)
      guard let name = words.first, let tag = Tag.allCases.first(where: { $0.name == name }) else {
        violated("no tag: \(line)")
      }
      add(tag, words.count > 1 ? Array(words[1].utf8) : [])
    }
  }

  private mutating func add(_ tag: Tag, _ payload: [UInt8], isTerminated: Bool = true) {
    records.append((tag, payload + (isTerminated ? [0] : [])))
  }

  /// All specimens: first one in which nothing is missing and every number is a plain one.
  ///
  /// All begin at the same time, so that the times in all lines are the same.
  static let all: [Specimen] =
    [usual, fetch, fragment, Specimen(6, .client, "Begin req 1 rxreq\n\(start)\nEnd"), empty]
    + hostileValues.enumerated().map { hostile(UInt64(20 + 2 * $0), $1) }

  private static let start = "Timestamp Start: 1700000000.123456 0.000000 0.000000"

  private static let usual = Specimen(
    2, .client,
    """
    Begin req 1 rxreq
    \(start)
    ReqStart 192.0.2.1 51234 a0
    ReqMethod GET
    ReqURL /path/x?q=12&r=2
    ReqProtocol HTTP/1.1
    ReqHeader Host: example.com:8080
    ReqHeader User-Agent: UA/1.0 "quoted words" x
    ReqHeader Referer: http://example.com/
    ReqHeader Authorization: Basic dXNlcjpwYXNz
    ReqHeader X-Two: first
    ReqHeader X: 10
    VCL_call RECV
    ReqHeader X-Two: second
    VCL_Log key: 12
    VCL_call HASH
    Hit 32770 100.0 10.0
    VCL_call HIT
    Link bereq 3 fetch
    Link req 4 esi 1
    Timestamp Process: 1700000000.500000 0.376544 0.376544
    RespProtocol HTTP/1.1
    RespStatus 200
    RespReason OK
    RespHeader Content-Type: text/html
    RespHeader Age: 12
    Timestamp Resp: 1700000001.623456 1.500000 1.390000
    ReqAcct 81 15 86 236 19 245
    End
    """)

  private static let fetch = Specimen(
    3, .backend,
    """
    Begin bereq 2 fetch
    \(start)
    BereqMethod GET
    BereqURL /path/x
    BereqProtocol HTTP/1.1
    BereqHeader Host: example.com
    BackendOpen 25 default 127.0.0.1 8080 127.0.0.1 40000 connect
    BackendStart 127.0.0.1 8080
    BerespProtocol HTTP/1.1
    BerespStatus 503
    BerespReason Service Unavailable
    BerespHeader Content-Type: text/html
    Timestamp Beresp: 1700000000.200000 0.076544 0.076544
    FetchError no backend connection
    Timestamp BerespBody: 1700000000.300000 0.176544 0.100000
    BereqAcct 100 0 100 200 300 500
    End
    """)

  private static let fragment = Specimen(
    4, .client,
    """
    Begin req 2 esi 1
    \(start)
    ReqMethod HEAD
    ReqURL /fragment
    ReqHeader Host: [::1]
    VCL_call PASS
    RespStatus 404
    Timestamp Resp: 1700000000.123456 0.0 -0.5
    ReqAcct 0x10 1e3 -5 007 1.5 99999999999999999999
    End
    """)

  /// Records without a payload, or without the NUL at its end.
  private static var empty: Specimen {
    var specimen = Specimen(8, .client, "Begin req 1 rxreq\n\(start)")
    for tag: Tag in [.reqStart, .reqMethod, .reqURL, .reqHeader, .respStatus, .reqAcct, .vclLog, .debug] {
      specimen.add(tag, [], isTerminated: false)
      specimen.add(tag, [])
      specimen.add(tag, Array("x:".utf8), isTerminated: false)
    }
    specimen.add(.end, [])
    return specimen
  }

  private static let hostileValues: [[UInt8]] = [
    Array("a\"\\b\n\r\t\u{0B}\u{0C}\u{1B}\u{7F}, =;'{}[]%n-".utf8) + [0, 0xFF, 0xC3, 0xED, 0xA0, 0x80, 0xE2],
    Array("-12.50".utf8),
    Array(repeating: UInt8(ascii: "9"), count: 1500),
    Array(":".utf8),
  ]

  /// A request in which every value chosen by a client or a backend is the same.
  private static func hostile(_ vxid: UInt64, _ value: [UInt8]) -> Specimen {
    var specimen = Specimen(vxid, .client, "Begin req 1 rxreq\n\(start)")
    specimen.add(.reqStart, value + [0x20] + value)
    for tag: Tag in [.reqMethod, .reqProtocol, .respStatus, .respReason, .debug, .hash, .vclError] {
      specimen.add(tag, value)
    }
    specimen.add(.reqURL, value + Array("?".utf8) + value)
    for name in ["Host: ", "User-Agent: ", "Referer: ", "X: ", "X-Two: "] {
      specimen.add(.reqHeader, Array(name.utf8) + value)
    }
    specimen.add(.reqHeader, Array("Authorization: Basic ".utf8) + value)
    specimen.add(.respHeader, Array("Age: ".utf8) + value)
    specimen.add(.vclLog, Array("key: ".utf8) + value)
    specimen.add(.timestamp, Array("Process: ".utf8) + value + [0x20] + value)
    specimen.add(.reqAcct, Array(repeatElement(value, count: 6).joined(separator: [0x20])))
    specimen.add(.end, [])
    return specimen
  }
}
